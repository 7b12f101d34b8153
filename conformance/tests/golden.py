#!/usr/bin/env python3
"""Every golden capture: the dissector names its messages as the manifest has them, finds no fault, and
`judge` finds no violation, whichever node it is asked about.

usage: golden.py NATFW-CONFORM SUITE-FOLDER PCAPS-FOLDER
"""
import json
import pathlib
import subprocess
import sys

SKIPPED = 77


def tshark(suite, path, *arguments):
    command = ["tshark", "-X", f"lua_script:{suite}/wireshark/natfw.lua", "-r", path, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]


def messages(suite, path):
    """The names of all messages, MA-Hello left out: it comes when it likes."""
    found = []
    for info in tshark(suite, path, "-Y", "gist", "-T", "fields", "-e", "_ws.col.Info"):
        found += [part.split(",")[0] for part in info.split(" | ")]
    return [name for name in found if name != "MA-Hello"]


def problems(program, suite, capture, path):
    if messages(suite, path) != capture["messages"]:
        yield f"messages are {messages(suite, path)}, the manifest has {capture['messages']}"
    faults = tshark(suite, path, "-Y", "gist.fault or natfw.fault or _ws.lua.error")
    if faults:
        yield f"faults: {faults}"
    addresses = set(tshark(suite, path, "-Y", "gist", "-T", "fields", "-e", "ip.src"))
    for address in sorted(addresses):
        judged = subprocess.run([program, "judge", "--iut", address, path], capture_output=True,
                                text=True)
        if judged.returncode not in (0, 4):
            yield f"judged as {address}: {judged.stdout}{judged.stderr}"


def main():
    program, suite, folder = sys.argv[1:]
    try:
        version = subprocess.run(["tshark", "--version"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        version = ""
    if "Lua" not in version:
        print("no tshark with Lua")
        return SKIPPED
    manifest = json.loads((pathlib.Path(folder) / "manifest.json").read_text())
    failed = 0
    for capture in manifest["captures"]:
        path = str(pathlib.Path(folder) / capture["file"])
        found = list(problems(program, suite, capture, path))
        print("not ok" if found else "ok", capture["file"], *found)
        failed += bool(found)
    return 1 if failed or not manifest["captures"] else 0


if __name__ == "__main__":
    sys.exit(main())
