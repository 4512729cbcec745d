"""The examples in the documents, run.

  examples.py --build DIR [PAGE…]          runs them, exit status 1 if one shows what does not come
  examples.py --build DIR --write [PAGE…]  puts what came in place of what they show

An example is a fenced block ```console. Lines that begin with "$ " are commands, the lines below one
are what it prints (both streams). A comment right above the block may say more:

  <!-- example from="^tailback: event" until="^  advice" -->   shows this part of the output
  <!-- example brief from=… until=… -->                        … without stacks and lines that repeat
  <!-- example with="COMMAND" -->                              runs this beside it: a client
  <!-- not run: REASON -->                                     is not run

Outputs are compared loosely: every line that the page shows must come, in this order; further lines
may come between them. Numbers, times, addresses and folders are not compared, nor are lines whose
content depends on the machine (which stand in VOLATILE), nor frames of libraries."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SHOWN_FOLDER = "/home/me/tailback"
LINKED = ("docs", "demos", "tests")
# A busy machine can delay a program so much that another cause is right.
ATTEMPTS = 4
SECONDS = 60

# Signs that the machine was too busy: another cause than the page's is right, or there is no stack.
BUSY = ("run-queue-wait", "none could be read in time", "the observer itself was")
# Lines that `brief` leaves out.
REPEATED = re.compile(r"^(  (loop|task|since|pending\w*|stack) |    )")
# A program's exit status that says: it can't run on this machine.
SKIPPED = 77
# Labels of a report's lines of which only the label is compared.
VOLATILE = ("time", "since", "callbacks", "stack", "pending", "mostly", "found", "seen", "memory", "confidence")

FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ABOVE = re.compile(r"<!-- (example|not run:)((?:(?!-->).)*)-->\s*\Z", re.DOTALL)


@dataclass
class Command:
    text: str
    shown: list = field(default_factory=list)  # lines


@dataclass
class Example:
    page: Path
    line: int
    body: tuple  # begin and end of the block's content in the page's text
    commands: list
    begin: str = ""  # patterns of the first and the last line to show
    end: str = ""
    brief: bool = False
    beside: str = ""  # a command that runs at the same time
    not_run: str = ""


def examples_of(page, text):
    for block in FENCE.finditer(text):
        commands = []
        for line in block.group(1).splitlines():
            if line.startswith("$ "):
                commands.append(Command(line[2:]))
            elif commands:
                commands[-1].shown.append(line)
        example = Example(page, text.count("\n", 0, block.start()) + 1, block.span(1), commands)
        above = ABOVE.search(text, 0, block.start())
        if above and above.group(1) == "not run:":
            example.not_run = above.group(2).strip()
        elif above:
            said = dict(re.findall(r'(from|until|with)="(.*?)"', above.group(2)))
            example.brief = above.group(2).split()[:1] == ["brief"]
            example.begin, example.end = said.get("from", ""), said.get("until", "")
            example.beside = said.get("with", "")
        yield example


def part(lines, begin, end):
    """From the first line that matches `begin` to the next that matches `end`; all if they are empty."""
    first = next((i for i, line in enumerate(lines) if re.search(begin, line)), None)
    if first is None:
        return []
    if not end:
        return lines[first:]
    last = next((i for i, line in enumerate(lines) if i >= first and re.search(end, line)), None)
    return [] if last is None else lines[first:last + 1]


def comparable(line):
    """What of a line is compared; empty if nothing is."""
    line = line.strip()
    if line.startswith(("…", "#")) and not re.match(r"#\d+ +> ", line):
        return ""
    label = line.split(" ")[0]
    if any(label.startswith(volatile) for volatile in VOLATILE):
        return label
    line = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d\d:?\d\d|Z)?", "T", line)
    line = re.sub(r"[^\s()]*?([\w.+-]+\.(?:py|cc|c|h|js|mjs|so[.\d]*)):\d+", r"\1:N", line)
    line = re.sub(r"/[\w/.-]*/(?=[\w.-])", "", line)
    # A long line leaves the types of arguments out, and how long it is depends on where the source lies.
    line = re.sub(r"(?<=\w)\((?:…|[\w:<>&*, ]+)\)", "()", line)
    line = re.sub(r"\b0x[0-9a-f]+\b|\+0x[0-9a-f]+", "N", line)
    line = re.sub(r"\b[0-9a-f]{16}\b", "N", line)
    line = re.sub(r"-\w{6}$", "-N", line)  # as mkstemp(3) makes it
    line = re.sub(r"<?\d[\d,.]*(?: (?:ns|µs|ms|s|%|KB|MB|KiB|MiB)(?!\w))?", "N", line)
    line = line.replace("N so far", "N")
    line = re.sub(r"N (sample|stall|event|time|call|frame|wait|thread|process|place|iteration)(e?s)?\b",
                  r"N \1", line)
    line = re.sub(r"-{2,}", "-", line)
    return " ".join(line.split())


def missing_line(shown, came):
    """The first shown line that does not come in its order; nothing if all do."""
    lines = iter([comparable(line) for line in came])
    for line in shown:
        wanted = comparable(line)
        if wanted and wanted not in lines:  # advances the iterator
            return line
    return None


class Runner:
    def __init__(self, build):
        # As long as SHOWN_FOLDER: names that the report shortens to fit are shortened alike.
        self.folder = tempfile.mkdtemp(prefix="tbd-", dir="/tmp")
        for name in LINKED:
            os.symlink(TOP / name, os.path.join(self.folder, name))
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("TAILBACK_")}
        self.environment["PATH"] = f"{build}/bin:/usr/bin:/bin:/usr/sbin"
        self.environment["TZ"] = "UTC"

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def output_of(self, command, beside="", urgent=False):
        def come_first():
            if urgent:  # what a page shows shall not depend on what else the machine does
                os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))

        other = beside and subprocess.Popen(
            ["timeout", str(SECONDS), "sh", "-c", beside], cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ended = subprocess.run(["bash", "-c", command], cwd=self.folder, env=self.environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=SECONDS, text=True,
                               errors="replace", preexec_fn=come_first)
        if other:
            other.wait()
        if ended.returncode == SKIPPED:
            return None
        text = ended.stdout.replace(self.folder, SHOWN_FOLDER).replace(str(TOP), SHOWN_FOLDER)
        return [line.rstrip() for line in text.splitlines()]


def check(example, runner):
    """Lines that say what is wrong; none if all is well, or the machine was too busy to tell."""
    faults = []
    busy = True
    for _ in range(ATTEMPTS):
        faults = []
        for command in example.commands:
            try:
                came = runner.output_of(command.text, example.beside)
            except subprocess.TimeoutExpired:
                faults.append(f"{example.page}:{example.line}: $ {command.text}: no end in {SECONDS} s")
                busy = False
                break
            if came is None:
                continue
            missing = missing_line(command.shown, came)
            if missing is not None:
                busy = busy and any(sign in line for line in came for sign in BUSY
                                    if sign not in missing)
                faults.append(f"{example.page}:{example.line}: $ {command.text}\n"
                              f"  shown, but did not come:\n    {missing}\n  came:\n" +
                              "\n".join("    " + line for line in came))
        if not faults:
            return []
    return [] if busy else faults


def rewritten(example, runner):
    lines = []
    for command in example.commands:
        lines.append("$ " + command.text)
        for attempt in range(ATTEMPTS):
            # Some examples are about the scheduler.
            came = runner.output_of(command.text, example.beside,
                                    urgent=os.geteuid() == 0 and attempt % 2 == 0)
            shown = part(came or [], example.begin, example.end) if command.shown else []
            if shown or not command.shown:
                break
        else:
            raise LookupError(f"{example.page}:{example.line}: $ {command.text}: no such part in\n" +
                              "\n".join(came or []))
        lines += [line for line in shown if not (example.brief and REPEATED.match(line))]
    return "\n".join(lines) + "\n"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--build", required=True, type=Path)
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("pages", nargs="*", type=Path)
    given = arguments.parse_args()

    pages = given.pages or [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]
    runner = Runner(given.build.resolve())
    faults, run, not_run = [], 0, 0
    try:
        for page in pages:
            text = page.read_text()
            pieces, done = [], 0
            for example in examples_of(page, text):
                if example.not_run:
                    not_run += 1
                    continue
                run += 1
                if not given.write:
                    faults += check(example, runner)
                    continue
                begin, end = example.body
                try:
                    pieces += [text[done:begin], rewritten(example, runner)]
                    done = end
                except LookupError as error:
                    faults.append(str(error))
            changed = "".join(pieces) + text[done:]
            if changed != text:
                page.write_text(changed)
    finally:
        runner.close()
    print("\n".join(faults))
    print(f"{run} examples run, {not_run} not run, {len(faults)} wrong")
    return 1 if faults or run == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
