#!/usr/bin/python3
"""Measures how right Tailback is: stalls whose truth is known, on an idle and on an overloaded
machine, and healthy programs, of which nothing may be reported.

Exit status: 0 all is within the limits, 1 a limit is broken, 2 it can't run.
"""

import argparse
import os
import sys
import tempfile

import healthy
import load
import result_page
import scoring
import truths
import watched

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
PAGE = os.path.join(HERE, "RESULTS.md")
# Wrong causes that may be, as a share of the stalls that were found.
STATES = {"idle": 0.01, "overloaded": 0.03}
SHORT_LOOPS = ("epoll level", "two epolls", "poll", "select", "loop per thread")


def shares(total, loops):
    """How many stalls each loop has, so that they are `total` in all."""
    return {loop: total // len(loops) + (1 if at < total % len(loops) else 0)
            for at, loop in enumerate(loops)}


def run_state(tailback, directory, state, arguments, loops):
    """All loops on a machine in this state; returns its tables and what could not be had."""
    tables = scoring.Tables()
    lacking = []
    for at, (loop, stalls) in enumerate(shares(arguments.stalls, loops).items()):
        truth_lines, lines = watched.run_stalls(
            tailback, directory, loop, stalls, arguments.seed + at, arguments.threshold,
            arguments.only)
        truth = truths.read_truth(truth_lines, state == "overloaded")
        before = len(tables.total.faults)
        tables.add_run(loop, truth, lines, arguments.threshold)
        lacking += truth.lacking
        print(f"{state}, {loop}: {len(truth.iterations)} iterations of more than half the threshold, "
              f"{len(scoring.read_reports(lines))} reports", flush=True)
        for fault in tables.total.faults[before:]:
            print(f"  {fault}", flush=True)
    return tables, lacking


def run_stalls(tailback, directory, arguments, load_before):
    """Returns what is worse than it may be, and the page's part."""
    loops = arguments.loop or watched.loop_kinds(tailback)
    if arguments.short and not arguments.loop:
        loops = [loop for loop in loops if loop in SHORT_LOOPS]
    states, broken, lacking = [], [], []
    for state in arguments.states:
        of_state = os.path.join(directory, state)
        os.makedirs(of_state, exist_ok=True)
        if state == "overloaded":
            with load.Overload(of_state):
                tables, less = run_state(tailback, of_state, state, arguments, loops)
        else:
            tables, less = run_state(tailback, of_state, state, arguments, loops)
        lacking += less
        states.append((state, tables, STATES[state]))
        broken += [f"{state}: {line}" for line in limits(tables, STATES[state], arguments.short)]
    page = result_page.stalls_page(states, arguments.threshold, load_before,
                                   dict.fromkeys(lacking))
    return broken, page


def limits(tables, wrong_share, short):
    """The short form runs beside other tests: causes and lengths are for the whole one."""
    if short:
        return [line for line in scoring.broken_limits(tables, 1.0) if "length" not in line]
    return scoring.broken_limits(tables, wrong_share)


def run_healthy(tailback, directory, arguments):
    results, skipped = healthy.run_all(tailback, directory, arguments.healthy_seconds,
                                       arguments.program)
    broken = [f"{one.name}: {one.reports} reports of a healthy program: {'; '.join(one.told)}"
              for one in results if one.reports]
    broken += [f"{one.name}: its load did not reach it" for one in results if one.iterations < 20]
    if len(results) < 30 and not arguments.short and not arguments.program:
        broken.append(f"only {len(results)} healthy programs ran; 30 are to")
    return broken, result_page.healthy_page(results, skipped)


def write_page(parts):
    missing = [path for path in parts if not os.path.exists(path)]
    if missing:
        return f"the page is of both parts; run the other too ({missing[0]} is missing)"
    with open(PAGE, "w", encoding="utf-8") as page:
        for path in parts:
            with open(path, encoding="utf-8") as part:
                page.write(part.read())
    print(f"run_accuracy.py: wrote {PAGE}")
    return None


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", default=os.path.join(SOURCE, "build"), metavar="DIR",
                        help="the build tree of Tailback (default: %(default)s)")
    parser.add_argument("--stalls", type=int, metavar="N",
                        help="in each state of the machine (default: 1000, with --short 60)")
    parser.add_argument("--threshold", type=int, metavar="MS",
                        help="default: 100, with --short 50")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--states", default="idle,overloaded", help="default: %(default)s")
    parser.add_argument("--loop", action="append", help="kind of loop, repeatable (default: all)")
    parser.add_argument("--only", action="append", default=[], metavar="CAUSE",
                        help="cause of the stalls, repeatable (default: all)")
    parser.add_argument("--healthy-seconds", type=float, metavar="S",
                        help="load on each healthy program (default: 60, with --short 3)")
    parser.add_argument("--program", action="append", metavar="NAME",
                        help="of the healthy programs, repeatable (default: all)")
    parser.add_argument("--parts", default="stalls,healthy", help="default: %(default)s")
    parser.add_argument("--short", action="store_true",
                        help="the form that CI runs: few stalls, idle only, no page")
    parser.add_argument("--keep", metavar="DIR", help="leave truths and recordings there")
    parser.add_argument("--write", action="store_true",
                        help="write the results to RESULTS.md; a part that is not run keeps its own")
    arguments = parser.parse_args()
    for name, long_default, short_default in (("stalls", 1000, 60), ("threshold", 100, 50),
                                              ("healthy_seconds", 60.0, 3.0)):
        if getattr(arguments, name) is None:
            setattr(arguments, name, short_default if arguments.short else long_default)
    arguments.states = ["idle"] if arguments.short else arguments.states.split(",")
    arguments.parts = arguments.parts.split(",")
    for given, known, option in ((arguments.states, STATES, "--states"),
                                 (arguments.parts, ("stalls", "healthy"), "--parts")):
        unknown = [one for one in given if one not in known]
        if unknown:
            parser.error(f"{option}: there is no '{unknown[0]}'; give some of {','.join(known)}")
    if arguments.write and (arguments.short or arguments.loop or arguments.only or
                            arguments.program or list(arguments.states) != list(STATES)):
        parser.error("--write: the page is of the whole benchmark; leave out --short, --loop, "
                     "--only, --program and --states")
    return arguments


def main():
    arguments = parse_arguments()
    tailback = watched.Tailback(os.path.abspath(arguments.build))
    if tailback.missing():
        print(f"run_accuracy.py: {tailback.missing()[0]} is missing; build Tailback first",
              file=sys.stderr)
        return 2
    load_before = os.getloadavg()[0]
    work = os.path.join(tailback.build, "accuracy")
    os.makedirs(work, exist_ok=True)
    pages = {part: os.path.join(work, part + ".md") for part in ("stalls", "healthy")}
    broken = []
    with tempfile.TemporaryDirectory(prefix="tailback-accuracy-") as temporary:
        directory = os.path.abspath(arguments.keep) if arguments.keep else temporary
        os.makedirs(directory, exist_ok=True)
        try:
            for part in arguments.parts:
                if part == "stalls":
                    worse, page = run_stalls(tailback, directory, arguments, load_before)
                else:
                    worse, page = run_healthy(tailback, directory, arguments)
                broken += worse
                print("\n" + page)
                if arguments.write:
                    with open(pages[part], "w", encoding="utf-8") as file:
                        file.write(page)
        except watched.WatchError as error:
            print(f"run_accuracy.py: {error}", file=sys.stderr)
            return 2
    if arguments.write:
        error = write_page(list(pages.values()))
        if error:
            print(f"run_accuracy.py: {error}", file=sys.stderr)
            return 2
    for line in broken:
        print(f"limit broken: {line}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
