#!/usr/bin/python3
"""Runs whole test suites of others plain and watched by Tailback, and tells whether a test fails
only when it is watched.

Exit status: 0 no difference, 1 a difference or a faulty recording, 2 it can't run, 77 no suite is
installed.
"""

import argparse
import concurrent.futures
import os
import shutil
import sys
import tempfile
import threading
from dataclasses import dataclass, field

import compare
import glib_suite
import libuv_suite
import outcomes
import python_suite
import result_page
import summary
import ways
from supervise import supervised_run
from unit import bare_environment

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
PAGE = os.path.join(HERE, "RESULTS.md")
SUITES = (*python_suite.MODULES, glib_suite.GlibProgram.suite, libuv_suite.LibuvSuite.suite)


@dataclass
class UnitResult:
    """One unit, run in one way."""

    outcomes: dict
    seconds: float
    recording: ways.Recording = field(default_factory=ways.Recording)


class Runner:
    """Runs units in private directories; keeps their output in the folder `logs`."""

    def __init__(self, tailback, logs):
        self.tailback = tailback
        self.logs = logs
        self.lock = threading.Lock()
        self.count = 0
        shutil.rmtree(self.logs, ignore_errors=True)
        os.makedirs(self.logs)

    def run(self, unit, way, cases=None):
        with self.lock:
            self.count += 1
            label = f"{self.count:04}-{unit.name}-{way}"
        output = os.path.join(self.logs, label + ".log")
        # Short: the tests make sockets in it, whose paths are limited to 108 bytes.
        with tempfile.TemporaryDirectory(prefix="tb-", dir="/tmp",
                                         ignore_cleanup_errors=True) as room:
            # The command's directory is its own: some tests watch it for changes.
            directory = os.path.join(room, "home")
            os.mkdir(directory)
            unit.prepare(directory)
            recording_path = os.path.join(room, "recording.jsonl")
            environment = bare_environment(directory) | unit.environment(directory)
            command, environment = self.tailback.watched(
                way, unit.command(directory, cases), environment, recording_path)
            if unit.user is not None:
                hand_over(room, unit.user)
            run = supervised_run(command, directory, environment, unit.limit_s, output,
                                 self.tailback.binary, unit.user)
            result = UnitResult(unit.outcomes(run, directory, output), run.seconds)
            if way != ways.PLAIN:
                result.recording = ways.read_recording(recording_path)
                if run.observer_stuck:
                    result.recording.faults.append("the observer did not end")
                if result.recording.faults and os.path.exists(recording_path):
                    shutil.copy(recording_path, os.path.join(self.logs, label + ".jsonl"))
        with open(output, "a", encoding="utf-8") as file:
            file.write(f"\n[{way}: status {run.status}, {run.seconds:.1f} s"
                       f"{', over its time limit' if run.timed_out else ''}"
                       f"{', left behind: ' + '; '.join(run.leftovers) if run.leftovers else ''}]\n"
                       f"[{' '.join(command)}]\n")
        return result


def hand_over(directory, user):
    os.chown(directory, user, user)
    for parent, directories, files in os.walk(directory):
        for name in directories + files:
            os.lchown(os.path.join(parent, name), user, user)


def run_unit(runner, unit, wanted_ways):
    """All ways of one unit, one after the other: some suites use fixed ports."""
    results = {way: runner.run(unit, way) for way in wanted_ways}
    plain = results[ways.PLAIN]
    ran = outcomes.cases(plain.outcomes)
    told = ", ".join(
        f"{way} {outcomes.failures(results[way].outcomes)}" for way in wanted_ways)
    seconds = ", ".join(f"{results[way].seconds:.1f}" for way in wanted_ways)
    print(f"{unit.suite}{'' if unit.name == unit.suite else ' ' + unit.name}: {len(ran)} tests; "
          f"failures: {told}; seconds: {seconds}", flush=True)
    return results


def judge_all(runner, units, results):
    verdicts = []
    for unit in units:
        by_way = results[unit.name]
        for way, result in by_way.items():
            if way == ways.PLAIN:
                continue
            verdicts += compare.judge(
                unit.name, way, by_way[ways.PLAIN].outcomes, result.outcomes,
                lambda again, cases, unit=unit:
                    runner.run(unit, again or ways.PLAIN, cases).outcomes)
    return verdicts


def summaries_of(runner, units, results, work):
    """suite → Summary; runs again what has to be run again."""
    found = {}
    for suite in dict.fromkeys(unit.suite for unit in units):
        members = [unit for unit in units if unit.suite == suite]
        of_suite = {unit.name: results[unit.name] for unit in members}
        found[suite] = summary.summarize(suite, members[0].version(work), of_suite,
                                         judge_all(runner, members, of_suite))
    return found


def write_page(found, path):
    """Keeps these rows, and makes the page of them and those of earlier runs. Returns an error."""
    kept = summary.load(path) | found
    summary.store(path, kept)
    lacking = [suite for suite in SUITES if suite not in kept]
    if lacking:
        return f"the page is of all suites; run these too: {' '.join(lacking)}"
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(result_page.page([kept[suite] for suite in SUITES]))
    print(f"run_suites.py: wrote {PAGE}")
    return None


def available_units(arguments, work):
    """The units to run, and a line for each suite that can't be."""
    units, absent = [], []
    for suite in (python_suite, glib_suite):
        lacking = suite.missing()
        if lacking:
            absent.append(lacking)
        else:
            units += suite.units(arguments.quick)
    if not arguments.quick and (not arguments.only or "libuv" in arguments.only):
        libuv = libuv_suite.LibuvSuite(work)
        lacking = libuv_suite.missing(work)
        if lacking:
            absent.append(lacking)
        else:
            libuv.fetch_and_build()
            units.append(libuv)
    if arguments.only:
        named = set(arguments.only)
        units = [unit for unit in units if named & {unit.suite, unit.name}]
    return units, absent


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", default=os.path.join(SOURCE, "build"), metavar="DIR",
                        help="the build tree of Tailback (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="the part that CI runs")
    parser.add_argument("--only", action="append", metavar="NAME",
                        help="a suite (test_select, GLib, libuv) or one program of it; repeatable")
    parser.add_argument("--ways", default=",".join(ways.WAYS), metavar="LIST",
                        help="of plain,launched,preloaded (plain is always run)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N",
                        help="units to run side by side (default: 1)")
    parser.add_argument("--write", action="store_true",
                        help="write the results to RESULTS.md; suites that are not run keep theirs")
    arguments = parser.parse_args()
    named = arguments.ways.split(",")
    unknown = [way for way in named if way not in ways.WAYS]
    if unknown:
        parser.error(f"--ways: there is no '{unknown[0]}'; give some of {','.join(ways.WAYS)}")
    if arguments.jobs < 1:
        parser.error("--jobs: give 1 or more")
    arguments.ways = [way for way in ways.WAYS if way in named or way == ways.PLAIN]
    parts = set(arguments.only or ()) - set(SUITES)
    if arguments.write and (arguments.quick or parts or arguments.ways != list(ways.WAYS)):
        parser.error("--write: the page is of whole suites in all ways; leave out --quick, --ways "
                     "and programs of a suite")
    return arguments


def report(found, absent, logs):
    """Tells what was found; returns whether anything is wrong."""
    print("\n" + result_page.table(list(found.values())))
    wrong = 0
    for one in found.values():
        wrong += len(one.differences) + len(one.faults)
        for title, lines in (("difference", one.differences), ("flaky", one.flaky),
                             ("recording", one.faults)):
            for line in lines:
                print(f"{title}: {line}")
    for line in absent:
        print(f"not run: {line}")
    if wrong:
        print(f"run_suites.py: the output of every run is in {logs}")
    return wrong > 0


def main():
    arguments = parse_arguments()
    tailback = ways.Tailback(os.path.abspath(arguments.build))
    if tailback.missing():
        print(f"run_suites.py: {tailback.missing()[0]} is missing; build Tailback first",
              file=sys.stderr)
        return 2
    work = os.path.join(os.path.abspath(arguments.build), "suites")
    try:
        units, absent = available_units(arguments, work)
    except RuntimeError as error:
        print(f"run_suites.py: {error}", file=sys.stderr)
        return 2
    if not units:
        named = f"there is no suite or program named {' or '.join(arguments.only or [])}"
        print(f"run_suites.py: nothing to run: {'; '.join(absent) or named}", file=sys.stderr)
        return 77 if absent else 2

    runner = Runner(tailback, os.path.join(work, "logs-quick" if arguments.quick else "logs"))
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        done = pool.map(lambda unit: (unit.name, run_unit(runner, unit, arguments.ways)), units)
        results = dict(done)
    found = summaries_of(runner, units, results, work)
    wrong = report(found, absent, runner.logs)
    if arguments.write:
        error = write_page(found, os.path.join(work, "results.json"))
        if error:
            print(f"run_suites.py: {error}", file=sys.stderr)
            return 2
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
