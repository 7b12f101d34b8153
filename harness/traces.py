"""Which unit test reaches which point of a build, and requires which id.

Tracing runs every program whose tests claim requirements, which takes half a minute; so what was traced
is kept in the build directory, for as long as nothing that it came from has changed.
"""
import collections
import hashlib
import json
import os
import subprocess
import sys
import tempfile

import catalogue

STORE = "traces.json"
# What the tests are made of. A header tells nobody which programs it is in; so any change counts.
SOURCES = ("core", "reference-node", "meson.build", "meson_options.txt")


class Traces:
    def __init__(self):
        self.reaches = collections.defaultdict(set)   # point name -> {(program, test)}
        self.requires = collections.defaultdict(set)  # id -> {(program, test)}

    def read(self, program, lines):
        for line in lines:
            kind, test, what, _ = line.split(maxsplit=3)
            if kind == "point":
                self.reaches[what].add((program, test))
            elif kind == "required":
                self.requires[what].add((program, test))


def built(build):
    """Every program and library of a build that there is."""
    with open(os.path.join(build, "meson-info", "intro-targets.json"), encoding="utf-8") as file:
        for target in json.load(file):
            yield from filter(os.path.isfile, target["filename"])


def sources():
    for name in SOURCES:
        path = os.path.join(catalogue.ROOT, name)
        if os.path.isfile(path):
            yield path
        for folder, _, names in os.walk(path):
            yield from (os.path.join(folder, name) for name in names)


def state_of(build, programs):
    """A digest of all that a trace comes from, taken before the tests run. It has the times of files,
    too: what was touched or built again is traced again, though it may be the same."""
    digest = hashlib.sha256(json.dumps(programs).encode())
    for path in sorted([*built(build), *sources(), os.path.abspath(__file__)]):
        about = os.stat(path)
        digest.update(json.dumps([path, about.st_size, about.st_mtime_ns]).encode())
        with open(path, "rb") as file:
            digest.update(hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


def stored(build, state):
    """The lines by program that were kept for this state, or None."""
    try:
        with open(os.path.join(build, STORE), encoding="utf-8") as file:
            store = json.load(file)
        return store["lines"] if store["state"] == state else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def store(build, state, lines):
    with tempfile.NamedTemporaryFile("w", dir=build, delete=False, encoding="utf-8") as file:
        json.dump({"state": state, "lines": lines}, file)
    os.replace(file.name, os.path.join(build, STORE))


def show(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def trace(program, given):
    """The lines that a program's tests trace, each once."""
    with tempfile.NamedTemporaryFile("r", suffix=".trace") as file:
        environment = dict(os.environ, **given, NATFW_TRACE_FILE=file.name)
        environment.pop("NATFW_MUTANT", None)
        result = subprocess.run([program, "--jobs=2"], env=environment, check=False,
                                capture_output=True, text=True)
        if result.returncode != 0:
            raise SystemExit(f"{program} fails without any mutant:\n{result.stderr}")
        return sorted(set(file))


def trace_all(programs):
    lines = {}
    for number, (program, given) in enumerate(programs, 1):
        show(f"tracing {number} of {len(programs)}: {os.path.basename(program)}")
        lines[program] = trace(program, given)
    show("")
    return lines


def of_units(build):
    """Of every Criterion program that claims requirements, in a build with points to reach."""
    programs = catalogue.criterion_programs(build)
    state = state_of(build, programs)
    lines = stored(build, state)
    if lines is None:
        lines = trace_all(programs)
        store(build, state, lines)
    found = Traces()
    for program, its_lines in lines.items():
        found.read(program, its_lines)
    return found
