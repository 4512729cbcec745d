"""Texts that users see, against CHANGELOG.md: no change of one without an entry.

  visible_texts.py             compares, exit status 1 if they differ
  visible_texts.py --accept    accepts the present texts, if "Unreleased" has changed since it was
                               last done

visible_texts.txt lists the texts in the sources of reports, advice, messages and help. Its first
line is a digest of the section "Unreleased" at the time when they were accepted."""

import argparse
import difflib
import hashlib
import re
import sys
from pathlib import Path

import changelog

TOP = Path(__file__).resolve().parents[2]
ACCEPTED = Path(__file__).with_name("visible_texts.txt")
FOLDERS = ("runtime/report", "runtime/explain", "runtime/launch", "runtime/command",
           "runtime/advise")
SCHEMA_SOURCE = "summary_schema.h"  # changelog.py compares the names in it

TOKEN = re.compile(r"""
    //[^\n]* | /\*.*?\*/                                  # comments
  | R"(?P<mark>[^()\s\\]*)\((?P<raw>.*?)\)(?P=mark)"      # a raw string
  | "(?P<text>(?:[^"\\\n]|\\.)*)"
  | '(?:[^'\\\n]|\\.)*'
  | ^[ \t]*\#[^\n]*                                       # includes
  | (?!R")[^\s"'/] | /
""", re.VERBOSE | re.DOTALL | re.MULTILINE)


def literals_of(source):
    """String literals, adjacent ones joined."""
    joined = None
    for token in TOKEN.finditer(source):
        word = token.group()
        text = token.group("raw") if token.group("raw") is not None else token.group("text")
        if text is not None:
            joined = (joined or "") + text
        elif not word.startswith(("//", "/*")):
            if joined is not None:
                yield joined
            joined = None
    if joined is not None:
        yield joined


def is_visible(literal):
    """Two words or more: keys, options and file names have tests of their own."""
    return re.search(r"[A-Za-z]{2,}[^A-Za-z]* [^A-Za-z]*[A-Za-z]{2,}", literal) is not None


def present_texts(top=TOP):
    texts = set()
    for folder in FOLDERS:
        for file in sorted((top / folder).rglob("*")):
            if file.suffix in (".cc", ".h", ".inc") and file.name != SCHEMA_SOURCE:
                texts.update(text.replace("\n", "\\n") for text in literals_of(file.read_text())
                             if is_visible(text))
    return sorted(texts)


def digest_of(section):
    return hashlib.sha256(section.encode()).hexdigest()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--accept", action="store_true")
    given = arguments.parse_args()

    present = present_texts()
    digest = digest_of(changelog.unreleased((TOP / "CHANGELOG.md").read_text()))
    accepted_digest, *accepted = (ACCEPTED.read_text().splitlines() if ACCEPTED.exists() else [""])
    changes = [line for line in difflib.unified_diff(accepted, present, lineterm="", n=0)
               if re.match(r"[+-](?![+-]{2} )", line)]
    if not changes:
        return 0
    if not given.accept:
        print("\n".join(changes))
        print("Users see these texts. Add a line to CHANGELOG.md, Unreleased, then: "
              "tests/docs/visible_texts.py --accept")
        return 1
    if digest == accepted_digest:
        print("CHANGELOG.md, Unreleased, is as it was when texts were last accepted: add a line")
        return 1
    ACCEPTED.write_text("\n".join([digest, *present]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
