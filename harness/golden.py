"""The golden captures and their manifest, for the tools that make and check them."""
import json
import os

import captures

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DIRECTORY = os.path.join(ROOT, "pcaps")
NATFW_TYPES = {1: "CREATE", 2: "EXTERNAL", 3: "RESPONSE", 4: "NOTIFY"}


def _read():
    with open(os.path.join(DIRECTORY, "manifest.json"), encoding="utf-8") as file:
        return json.load(file)


def manifest():
    return _read()["captures"]


def not_yet():
    """Which figures have no capture, and what they need."""
    return _read()["not_yet"]


def name_of(message):
    """For example "Query" or "Data: CREATE"."""
    name, natfw = captures.TYPES[message.octets[6] & 0x7f], message.natfw()
    return f"{name}: {NATFW_TYPES[natfw[0]]}" if natfw else name


def names(path):
    return [name_of(message) for message in captures.read(path)]
