"""The two codecs, the core's and the conformance runner's, side by side.

They agree about a message when both accept it and read the same in every field that is significant,
or when the core rejects it for a fault that is on the runner's list of all its faults.
"""
import ipaddress
import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("NATFW_BUILD", os.path.join(ROOT, "build"))
CORE = [os.path.join(BUILD, "harness", "codec-lines")]
RUNNER = [os.path.join(BUILD, "conformance", "natfw-conform"), "decode", "--lines"]

SESSION_AUTH = 0x016
ADDRESSES = {"source", "destination", "interface", "address"}


class CodecError(Exception):
    """A codec's program that did not answer each line."""


def views(command, messages):
    """What a codec says of (layer, octets), one view each."""
    lines = "".join(f"{layer} {octets.hex()}\n" for layer, octets in messages)
    try:
        result = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CodecError(f"{command[0]}: {error.strerror}; build first: "
                         "meson setup -Dtests=true build && meson compile -C build") from error
    answers = result.stdout.splitlines()
    if result.returncode != 0 or len(answers) != len(messages):
        raise CodecError(f"{command[0]}: exit status {result.returncode}, {len(answers)} answers "
                         f"to {len(messages)} messages\n{result.stderr}")
    return [view_of(command, number, answer) for number, answer in enumerate(answers, 1)]


def view_of(command, number, answer):
    try:
        view = json.loads(answer)
    except ValueError as error:
        raise CodecError(f"{command[0]}: answer {number} is no JSON: {answer[:60]}") from error
    if not isinstance(view, dict) or "error" in view or not view.keys() & {"fault", "objects"}:
        raise CodecError(f"{command[0]}: answer {number} is no view of a message: {answer[:60]}")
    return view


def samples():
    """(layer, octets) of the suite's samples: a right message of every kind."""
    suite = os.path.join(ROOT, "conformance")
    command = ["lua5.4", os.path.join(suite, "tests", "samples.lua")]
    try:
        result = subprocess.run(command, env=dict(os.environ, LUA_PATH=f"{suite}/?.lua"), text=True,
                                capture_output=True, check=False)
    except OSError as error:
        raise CodecError(f"{command[0]}: {error.strerror}") from error
    if result.returncode != 0:
        raise CodecError(f"{command[1]}: {result.stderr}")
    found = [line.split(" ", 2)[:2] for line in result.stdout.splitlines()]
    return [(layer, bytes.fromhex(text)) for layer, text in found]


def core_views(messages):
    return views(CORE, messages)


def runner_views(messages):
    return views(RUNNER, messages)


# Where both readings are right. First: faults that the runner lists and the core's parser accepts.

def hop_count(layer, fault, core):
    """RFC 5971 4.3.1: the hop count is judged on reception, not by the parser."""
    return layer == "gist" and (fault["error"], fault["subcode"]) == (2, 0)


def deletion(layer, fault, core):
    """Ruling A90: in a deletion NATFW_EFI has to be there, but its content does not count."""
    return (layer == "natfw" and fault["object"] == 0x00f and fault["class"] == 7
            and core["objects"].get("12", {}).get("lifetime_s") == 0)


def n_flag(layer, fault, core):
    """RFC 5971 A.3.1: the N-flag of both routing methods is 0, but it speaks to NATs alone, and the
    core does not look at it."""
    return layer == "gist" and fault == {"error": 10, "subcode": 2, "object": 0,
                                         "text": "MRI: N is set"}


def session_auth(layer, fault, core):
    """RFC 5981 3.1: what is wrong inside SESSION_AUTH is no fault of the message to a node that does
    not use it; whether it is sound is compared by itself."""
    return (layer == "natfw" and (fault["class"], fault["code"]) == (5, 2)
            and fault["object"] == SESSION_AUTH)


TOLERATED = [hop_count, deletion, n_flag, session_auth]


# Then: faults for which the core rejects, and which the runner does not hold against others.

def ports_of_portless(layer, fault, runner):
    """Ruling A24: ports of a protocol without ports; the text does not say that they are wrong."""
    return (layer == "natfw" and fault == {"class": 3, "code": 9, "object": 0x013}
            and any(item["type"] == 0x013 and item["fields"]["p"] == 1
                    and item["fields"]["protocol"] not in (6, 17, 33, 132, 136)
                    for item in runner["objects"]))


def no_octets(layer, fault, runner):
    """RFC 5971 A.3.6, A.3.7, A.4: the sender chooses the length of a cookie or of NSLP-Data. That
    it may be none is not said; the core takes it for a wrong length."""
    return (layer == "gist" and (fault["error"], fault["subcode"]) == (10, 0)
            and any(item["type"] in fault["objects"] and item["type"] in (5, 6, 8)
                    and item["length"] == 0 for item in runner["objects"]))


TOLERATED_REJECTIONS = [ports_of_portless, no_octets]


def is_forbidden_mri(mri):
    """RFC 5971 A.3.1.1: the core leaves such a one as octets where an object quotes it."""
    longest = 32 if mri["ip_ver"] == 4 else 128
    return mri["mrm"] == 0 and (mri["source_prefix"] > longest or mri["dest_prefix"] > longest
                                or mri["f"] == 1 and mri["ip_ver"] != 6
                                or mri["p"] == 0 and mri["s"] + mri["a"] + mri["b"] > 0)


def same(name, core, runner):
    """Whether two fields say the same; null in the core's view is a field that does not count."""
    if core is None:
        return True
    if isinstance(core, dict) and isinstance(runner, dict):
        return core.keys() == runner.keys() and all(same(key, core[key], runner[key])
                                                    for key in core)
    if isinstance(core, list) and isinstance(runner, list):
        return len(core) == len(runner) and all(same(name, *pair) for pair in zip(core, runner))
    if name == "original_mri" and isinstance(core, str) and isinstance(runner, dict):
        return is_forbidden_mri(runner)
    if name in ADDRESSES:
        return ipaddress.ip_address(core) == ipaddress.ip_address(runner)
    if name == "original_header":  # the reserved bits of its last octet
        return core == runner[:14] + f"{int(runner[14:], 16) & 0xe0:02x}"
    return core == runner


def differences(layer, core, runner):
    """Where the views of one message do not agree, as texts."""
    if "fault" in core:
        if any(is_fault(layer, core["fault"], listed) for listed in runner["faults"]):
            return []
        if layer == "gist" and core["fault"]["error"] == 0:  # too short for a header
            return [] if runner["faults"] else ["the core rejects it"]
        if any(tolerated(layer, core["fault"], runner) for tolerated in TOLERATED_REJECTIONS):
            return []
        return [f"the core's fault {core['fault']} is not on the runner's list"]
    found = [f"the core accepts what the runner finds fault with: {fault}"
             for fault in runner["faults"]
             if not any(tolerated(layer, fault, core) for tolerated in TOLERATED)]
    theirs = {}
    for item in runner["objects"]:
        if "fields" in item:
            theirs.setdefault(str(item["type"]), item["fields"])
    found += soundness(layer, core, runner, theirs)
    if not same("header", core["header"], runner["header"]):
        found.append(f"header: {core['header']} and {runner['header']}")
    for key in sorted(core["objects"].keys() | theirs.keys(), key=int):
        ours, other = core["objects"].get(key), theirs.get(key)
        if key == str(SESSION_AUTH) and ours is None and other is None:
            continue
        if ours is None or other is None or not same("", ours, other):
            found.append(f"object {key}: {ours} and {other}")
    return found


def soundness(layer, core, runner, theirs):
    """Whether both find the first SESSION_AUTH right, or both wrong. What is wrong is not compared."""
    key = str(SESSION_AUTH)
    if layer != "natfw" or key not in theirs:
        return []
    faults = [fault for fault in runner["faults"] if session_auth(layer, fault, core)]
    sound = core["objects"].get(key) is not None
    several = sum(item["type"] == SESSION_AUTH for item in runner["objects"]) > 1
    if not sound:
        theirs[key] = None
        core["objects"][key] = None
    if sound == bool(faults) and not (sound and several):
        return [f"SESSION_AUTH is {'' if sound else 'not '}sound to the core, the runner: {faults}"]
    return []


def is_fault(layer, ours, listed):
    """Whether the core's fault is this one of the runner's."""
    if layer == "natfw":
        return all(ours[key] == listed[key] for key in ("class", "code", "object"))
    return ((ours["error"], ours["subcode"]) == (listed["error"], listed["subcode"])
            and (not ours["objects"] or listed["object"] in ours["objects"]))
