"""What the tools know of requirements, points, unit tests and dispositions."""
import collections
import fnmatch
import functools
import json
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)

# Whose requirements this release claims: those of initiator, firewall and responder over GIST.
ROLES = {"NI", "NF-FW", "NR", "codec", "GIST-any", "GIST-querier", "GIST-responder"}
BINDING = {"MUST", "MUST NOT", "REQUIRED"}

Requirement = collections.namedtuple(
    "Requirement", "id document section level roles observable summary restates")


def requirements():
    """All requirements by id."""
    path = os.path.join(ROOT, "core", "spec", "requirements.def")
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"(REQUIREMENT|RESTATEMENT)\((.*)\)$", line)
            if not match:
                continue
            values = json.loads(f"[{match.group(2)}]")
            restates = values.pop(0) if match.group(1) == "RESTATEMENT" else None
            found[values[0]] = Requirement(*values, restates)
    return found


def is_claimed(requirement):
    """Is it a MUST of a role that this release has, and of nothing that README.md calls not yet done?"""
    return (not requirement.restates and requirement.level in BINDING
            and bool(ROLES & set(requirement.roles.split(",")))
            and not any(fnmatch.fnmatchcase(requirement.id, pattern)
                        for patterns in dispositions()["not yet"].values() for pattern in patterns))


@functools.cache
def dispositions():
    """Requirements that have no point, what is not yet done, and points that others mask:
    {"requirements": {id: {kind, reason}}, "not yet": {what: [patterns of ids]},
     "masked": {point: {by, reason, scenarios}}}."""
    with open(os.path.join(HERE, "dispositions.json"), encoding="utf-8") as file:
        return json.load(file)


def unclaimed(*claims):
    """Faults: what README.md does not say of this."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = " ".join(file.read().split())
    return [f"README.md does not say: {claim}" for claim in claims if claim not in text]


def need(path, setup="meson setup -Dtests=true"):
    """Ends the program, and says what to do, where this is not built."""
    if os.path.exists(path):
        return
    build = os.path.relpath(path, ROOT).split(os.sep)[0]
    raise SystemExit(f"there is no {os.path.relpath(path, ROOT)}; build first: "
                     f"{setup} {build} && meson compile -C {build}")


def points(build):
    """All points of the core, as dictionaries with the key 'name' (ID#n)."""
    program = os.path.join(build, "harness", "natfw-points")
    need(program, "meson setup -Dmutants=true")
    listed = subprocess.run([program], check=False, capture_output=True, text=True)
    if listed.returncode != 0:
        raise SystemExit(f"{os.path.relpath(program, ROOT)}: {listed.stderr.strip()}")
    output = listed.stdout
    found = [json.loads(line) for line in output.splitlines()]
    for point in found:
        point["name"] = f"{point['id']}#{point['number']}"
        point["file"] = os.path.normpath(os.path.join(build, point["file"]))
        point["file"] = os.path.relpath(point["file"], ROOT)
    return sorted(found, key=lambda point: (section_key(point["id"]), point["number"]))


def variants():
    """The firewall's lawful variants: name -> (settings of the node, settings of the runner)."""
    found = {}
    with open(os.path.join(HERE, "lab", "ixit", "variants"), encoding="utf-8") as file:
        for line in file:
            name, colon, rest = line.partition(":")
            if colon and not line.startswith("#"):
                node, _, told = rest.partition("|")
                found[name] = node.split(), told.split()
    return found


def section_key(identifier):
    document, section, rest = identifier.split("-", 2)
    return (document, [int(part) if part.isdigit() else 0 for part in section.split(".")],
            [int(part) if part.isdigit() else part for part in re.findall(r"\d+|\D+", rest)][:1] == [],
            rest)


def introspect(build, what):
    output = subprocess.run(["meson", "introspect", f"--{what}", build], check=True,
                            capture_output=True, text=True).stdout
    return json.loads(output)


def claims(path):
    with open(path, encoding="utf-8") as file:
        return "VERIFIES(" in file.read()


def criterion_programs(build):
    """The Criterion programs of a build, with the environment that they are given; but for those
    whose sources claim no requirement."""
    need(os.path.join(build, "build.ninja"), "meson setup -Dmutants=true")
    silent = {os.path.realpath(name) for target in introspect(build, "targets")
              for name in target["filename"]
              if not any(claims(source) for group in target["target_sources"]
                         for source in group.get("sources", ()) if source.endswith(".c"))}
    programs = ((os.path.join(build, test["cmd"][-1]), test["env"])
                for test in introspect(build, "tests") if test["cmd"][0].endswith("harness/unit"))
    return sorted(program for program in programs if os.path.realpath(program[0]) not in silent)


def cases(build):
    """The conformance cases: {requirement id: [case id]}."""
    program = os.path.join(build, "conformance", "natfw-conform")
    output = subprocess.run([program, "list", "--json"], check=True, capture_output=True,
                            text=True).stdout
    found = collections.defaultdict(list)
    listed = json.loads(output)
    for case in listed["cases"] if isinstance(listed, dict) else listed:
        for identifier in case["requirements"]:
            found[identifier].append(case["id"])
    return found
