#!/usr/bin/env python3
"""judge takes no more memory for a capture that is four times as large.

usage: judge_memory.py NATFW-CONFORM SUITE LUA
"""
import os
import subprocess
import sys
import tempfile

MEGABYTES, SESSIONS, MOST = (10, 40), 100, 1.5


def memory_for(program, suite, lua, megabytes):
    """The most that judge had at once, in kilobytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "big.pcap")
        subprocess.run([lua, os.path.join(suite, "tests", "big_capture.lua"), path, str(megabytes),
                        str(SESSIONS)], check=True, stdout=subprocess.DEVNULL,
                       env=dict(os.environ, LUA_PATH=os.path.join(suite, "?.lua")))
        child = subprocess.Popen([program, "judge", "--iut", "198.51.100.1", "--iut", "203.0.113.1",
                                  path], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"not ok: {megabytes} MB: exit status {child.returncode}")
    return used.ru_maxrss


def main():
    few, many = (memory_for(*sys.argv[1:], megabytes) for megabytes in MEGABYTES)
    print(f"{MEGABYTES[0]} MB: {few} kB, {MEGABYTES[1]} MB: {many} kB")
    return 0 if many < few * MOST else 1


if __name__ == "__main__":
    sys.exit(main())
