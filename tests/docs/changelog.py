"""CHANGELOG.md against what users see: no change of it without an entry.

  changelog.py --tailback PROGRAM            checks both rules, exit status 1 if one is broken
  changelog.py --tailback PROGRAM --release  makes the present names those of the last release

Names. released_names.txt lists the names that users depend on, as the last release had them:
subcommands, options, variables, and the keys and words of the JSON schema. The "Unreleased" section
names, in backticks, every name that is there now and was not, or was there and is not.
CONTRIBUTING.md says when this matters."""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
RELEASED = Path(__file__).with_name("released_names.txt")
SCHEMA = TOP / "runtime/report/schema/report.schema.json"


def help_of(tailback, *subcommand):
    return subprocess.run([tailback, *subcommand, "--help"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def listed_subcommands(help_text):
    """Name and meaning of each."""
    listed = re.split(r"^subcommands:\s*$", help_text, flags=re.MULTILINE | re.IGNORECASE)[-1]
    return re.findall(r"^  ([a-z][a-z-]*)\s+(\S.*)$", listed, re.MULTILINE)


def subcommands_of(tailback):
    return [name for name, _ in listed_subcommands(help_of(tailback))]


def names_of_options(text):
    """Options that a help text declares, each at the start of its line, and their variables."""
    for line in text.splitlines():
        declared = re.match(r"\s+((?:-\w,\s*)?--[a-z][a-z-]*(?:,\s*--[a-z-]+)*)", line)
        if declared:
            yield from re.findall(r"--[a-z][a-z-]*", declared.group(1))
        yield from re.findall(r"\bTAILBACK_[A-Z_]+", line)


def names_of_schema(node):
    """Keys that records have, and words that they hold."""
    if isinstance(node, list):
        for item in node:
            yield from names_of_schema(item)
        return
    if not isinstance(node, dict):
        return
    yield from node.get("properties", {})
    words = node.get("enum", []) + ([node["const"]] if "const" in node else [])
    yield from (word for word in words if isinstance(word, str))
    for item in node.values():
        yield from names_of_schema(item)


def present_names(tailback):
    names = set(names_of_schema(json.loads(SCHEMA.read_text())))
    for subcommand in subcommands_of(tailback):
        names.add(f"tailback {subcommand}")
        names.update(names_of_options(help_of(tailback, subcommand)))
    return names


def unreleased(changelog):
    """The text of the section; empty if there is none."""
    found = re.search(r"^## \[?Unreleased\]?[^\n]*\n(.*?)(?=^## |\Z)", changelog,
                      re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


def missing_names(released, present, section):
    """Names that came or went and stand in no backticks of the section."""
    mentioned = set(re.findall(r"`([^`]+)`", section))
    mentioned |= {re.split("[= ]", text)[0] for text in mentioned}
    return sorted(name for name in released ^ present if name not in mentioned)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--tailback", required=True)
    arguments.add_argument("--release", action="store_true")
    given = arguments.parse_args()

    present = present_names(given.tailback)
    if given.release:
        RELEASED.write_text("".join(name + "\n" for name in sorted(present)))
        return 0
    released = set(RELEASED.read_text().splitlines())
    section = unreleased((TOP / "CHANGELOG.md").read_text())
    missing = missing_names(released, present, section)
    for name in missing:
        what = "is new" if name in present else "is gone"
        print(f"`{name}` {what} since the last release; CHANGELOG.md, Unreleased, does not name it")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
