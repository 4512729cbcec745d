"""What run_suites.py makes of the suites' output, and when it calls a test different."""

import contextlib
import io
import json
import os
import sys
import tempfile
import time
import unittest
from unittest import mock

sys.dont_write_bytecode = True

import compare
import glib_suite
import outcomes
import python_suite
import result_page
import run_suites
import summary
import supervise
import ways
from outcomes import CRASHED, END, FAILED, HUNG, MISSING, PASSED, SKIPPED
from run_suites import UnitResult
from unit import Unit, read_text


def ended(status=0, timed_out=False):
    return supervise.Run(status, timed_out, 1.0, [], False)


class Tap(unittest.TestCase):
    def test_nothing_is_no_case(self):
        self.assertEqual(outcomes.from_tap("", ended()), {END: PASSED})
        self.assertEqual(outcomes.from_tap("okay 1\n# ok 1 /x\nnot\nok\nok then\n1..3\n", ended()),
                         {END: PASSED})

    def test_both_dialects(self):
        text = ("1..4\nok 1 /glib/first\nnot ok 2 /glib/second\nok 3 /glib/third # SKIP no bus\n"
                "ok 4 - libuv_case\nnot ok 5 - known # TODO later\n")
        self.assertEqual(outcomes.from_tap(text, ended(1)),
                         {"/glib/first": PASSED, "/glib/second": FAILED, "/glib/third": SKIPPED,
                          "libuv_case": PASSED, "known": PASSED, END: PASSED})

    def test_a_case_without_a_name_goes_by_its_number(self):
        self.assertEqual(outcomes.from_tap("ok 1 # SKIP unreliable\n", ended(77)),
                         {"1": SKIPPED, END: SKIPPED})

    def test_cases_of_the_same_name_are_kept_apart(self):
        self.assertEqual(outcomes.from_tap("ok 1 a\nnot ok 2 a\n", ended(1)),
                         {"a": PASSED, "a'": FAILED, END: PASSED})

    def test_a_random_case_keeps_its_name(self):
        text = "# seed:5\nok 1 /queue/random/seed:906284711\nnot ok 2 /b/seed:17 # x\nok 3 /c\n"
        self.assertEqual(glib_suite.without_seeds(text),
                         "# seed:5\nok 1 /queue/random/seed:any\nnot ok 2 /b/seed:any # x\n"
                         "ok 3 /c\n")

    def test_how_the_program_ended(self):
        for run, outcome in ((ended(-11), CRASHED), (ended(1), FAILED), (ended(0), PASSED),
                             (ended(-9, timed_out=True), HUNG)):
            self.assertEqual(outcomes.from_tap("ok 1 a\n", run)[END], outcome)


class Failures(unittest.TestCase):
    def test_a_program_that_fails_by_itself_counts_once(self):
        for found, count in (({"a": PASSED, END: PASSED}, 0), ({"a": PASSED, END: CRASHED}, 1),
                             ({"a": CRASHED, END: CRASHED}, 1), ({END: SKIPPED}, 0),
                             ({"a": FAILED, "b": FAILED, END: PASSED}, 2)):
            self.assertEqual(outcomes.failures(found), count)


class Events(unittest.TestCase):
    def test_outcomes(self):
        lines = ["start a", "passed a", "stop a", "start b", "skipped b", "stop b", "start c",
                 "failed c", "stop c"]
        self.assertEqual(outcomes.from_events(lines, ended(2)),
                         {"a": PASSED, "b": SKIPPED, "c": FAILED, END: PASSED})

    def test_a_failed_subtest_is_not_made_good_by_what_follows(self):
        lines = ["start a", "failed a", "passed a", "stop a"]
        self.assertEqual(outcomes.from_events(lines, ended(2))["a"], FAILED)

    def test_a_case_that_did_not_stop_is_the_death_of_the_program(self):
        lines = ["start a", "passed a", "stop a", "start b"]
        self.assertEqual(outcomes.from_events(lines, ended(-11)),
                         {"a": PASSED, "b": CRASHED, END: CRASHED})
        self.assertEqual(outcomes.from_events(lines, ended(-9, timed_out=True)),
                         {"a": PASSED, "b": HUNG, END: HUNG})


class Comparison(unittest.TestCase):
    def test_equal_runs_have_no_suspects(self):
        plain = {"a": PASSED, "b": FAILED, "c": SKIPPED, "d": CRASHED}
        self.assertEqual(compare.suspects(plain, dict(plain)), [])
        self.assertEqual(compare.new_failures(plain, dict(plain)), [])

    def test_what_is_better_watched_is_no_suspect(self):
        self.assertEqual(compare.suspects({"a": FAILED, "b": SKIPPED},
                                          {"a": PASSED, "b": PASSED}), [])

    def test_every_way_of_being_worse_is_a_suspect(self):
        plain = dict.fromkeys("abcdef", PASSED) | {"g": SKIPPED}
        watched = {"a": PASSED, "b": FAILED, "c": CRASHED, "d": HUNG, "e": SKIPPED, "g": FAILED}
        self.assertEqual(compare.suspects(plain, watched), list("bcdefg"))

    def test_a_failure_that_the_plain_run_does_not_know(self):
        self.assertEqual(compare.new_failures({"a": PASSED}, {"a": PASSED, "setUp": FAILED}),
                         ["setUp"])


class RerunRule(unittest.TestCase):
    """judge() with runs whose outcomes are given: plain's and watched's, round by round."""

    def judge(self, plain_rounds, watched_rounds, plain=PASSED, watched=FAILED, case="a"):
        self.asked = []
        rounds = {None: list(plain_rounds), "launched": list(watched_rounds)}

        def run_again(way, cases):
            self.asked.append((way, cases))
            return {case: rounds[way].pop(0)}

        return compare.judge("unit", "launched", {case: plain}, {case: watched}, run_again)

    def test_equal_outcomes_are_not_run_again(self):
        for outcome in (PASSED, FAILED, SKIPPED):
            self.assertEqual(self.judge([], [], outcome, outcome), [])
            self.assertEqual(self.asked, [])

    def test_three_rounds_in_both_ways_of_the_suspect_alone(self):
        self.judge([PASSED] * 3, [PASSED] * 3)
        self.assertEqual(self.asked, [(None, ["a"]), ("launched", ["a"])] * 3)

    def test_never_again_and_once_more_are_flaky(self):
        for watched in ([PASSED] * 3, [FAILED, PASSED, PASSED], [PASSED, PASSED, CRASHED]):
            (verdict,) = self.judge([PASSED] * 3, watched)
            self.assertFalse(verdict.differs())

    def test_twice_more_is_a_difference(self):
        for watched in ([FAILED] * 3, [FAILED, PASSED, CRASHED], [PASSED, HUNG, MISSING],
                        [SKIPPED] * 3):
            (verdict,) = self.judge([PASSED] * 3, watched)
            self.assertTrue(verdict.differs())

    def test_one_plain_failure_makes_it_flaky(self):
        (verdict,) = self.judge([PASSED, FAILED, PASSED], [FAILED] * 3)
        self.assertFalse(verdict.differs())
        self.assertIn("(4 of 4 against 1 of 4)", verdict.text())

    def test_the_end_of_the_program_is_judged_by_running_all_of_it(self):
        (verdict,) = self.judge([PASSED] * 3, [CRASHED] * 3, watched=CRASHED, case=END)
        self.assertEqual(self.asked[0], (None, None))
        self.assertTrue(verdict.differs())

    def test_a_failure_unknown_to_the_plain_run_that_comes_again(self):
        verdicts = compare.judge("unit", "launched", {}, {"setUp": FAILED},
                                 lambda way, cases: {"setUp": FAILED} if way else {})
        self.assertTrue(verdicts[0].differs())


class Recordings(unittest.TestCase):
    END = {"type": "end", "counts": {"stall": {"reported": 1}}, "losses": {"events": 0, "programs": 0}}
    STALL = {"type": "stall", "state": "ended"}

    def read(self, *records, tail=""):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write("".join(json.dumps(record) + "\n" for record in records) + tail)
            file.flush()
            return ways.read_recording(file.name)

    def test_a_complete_one(self):
        recording = self.read({"type": "session"}, self.STALL | {"state": "ongoing"}, self.STALL,
                              self.END)
        self.assertEqual((recording.stalls, recording.losses, recording.faults), (1, {}, []))

    def test_programs_outside_are_told_and_no_fault(self):
        recording = self.read({"type": "session"}, self.STALL,
                              self.END | {"losses": {"events": 0, "programs": 3}})
        self.assertEqual((recording.losses, recording.faults), ({"programs": 3}, []))

    def test_every_fault(self):
        session = {"type": "session"}
        for records, tail, fault in (
                ([session, self.STALL], "", "end record"),
                ([self.STALL, self.END], "", "session record"),
                ([session, self.STALL], '{"type":"e', "line 3"),
                ([session, self.END], "", "0 final stall records"),
                ([session, self.STALL, self.END | {"losses": {"events": 2}}], "", "2 events"),
                ([], "", "end record")):
            faults = " ".join(self.read(*records, tail=tail).faults)
            self.assertIn(fault, faults)
        self.assertTrue(ways.read_recording("/nonexistent").faults)


class Ways(unittest.TestCase):
    def test_each_way_runs_the_command_and_nothing_of_the_caller_leaks_in(self):
        tailback = ways.Tailback("/b")
        environment = {"A": "1", "LD_PRELOAD": "/other.so", "TAILBACK_SESSION": "x"}
        self.assertEqual(tailback.watched(ways.PLAIN, ["c"], environment, "/r"),
                         (["c"], {"A": "1"}))
        command, launched = tailback.watched(ways.LAUNCHED, ["c", "d"], environment, "/r")
        self.assertEqual((command[0], command[-3:], launched),
                         ("/b/bin/tailback", ["--", "c", "d"], {"A": "1"}))
        command, preloaded = tailback.watched(ways.PRELOADED, ["c"], environment, "/r")
        self.assertEqual((command, preloaded["LD_PRELOAD"], preloaded["TAILBACK_JSON"]),
                         (["c"], "/b/lib/libtailback.so", "/r"))
        self.assertNotIn("TAILBACK_SESSION", preloaded)


class Supervision(unittest.TestCase):
    def run_shell(self, script, limit_s=20.0):
        with tempfile.TemporaryDirectory() as directory:
            return supervise.supervised_run(["/bin/sh", "-c", script], directory, dict(os.environ),
                                            limit_s, os.path.join(directory, "out"), "/nonexistent")

    def test_status_and_signal(self):
        self.assertEqual(self.run_shell("exit 3").status, 3)
        self.assertEqual(self.run_shell("kill -SEGV $$").status, -11)

    def test_a_command_over_its_limit_is_ended(self):
        begun = time.monotonic()
        run = self.run_shell("sleep 100; true", limit_s=0.3)
        self.assertTrue(run.timed_out)
        self.assertLess(time.monotonic() - begun, 60)

    def test_what_is_left_behind_is_found_and_ended(self):
        run = self.run_shell("setsid sleep 98765 >/dev/null 2>&1 &\nexit 0")
        self.assertEqual((run.status, run.timed_out, run.leftovers), (0, False, ["sleep 98765"]))


class Page(unittest.TestCase):
    def test_a_row_counts_cases_and_failures_of_each_way(self):
        def result(stalls, **found):
            return UnitResult(found | {END: PASSED}, 1.4, ways.Recording(stalls))
        results = {
            "one": {"plain": result(0, a=PASSED, b=SKIPPED),
                    "launched": result(2, a=FAILED, b=SKIPPED),
                    "preloaded": result(1, a=PASSED, b=SKIPPED)},
            "two": {"plain": result(0, c=FAILED), "launched": result(0, c=FAILED),
                    "preloaded": result(3, c=CRASHED)}}
        found = summary.summarize("S", "S 1", results, [])
        last = result_page.table([found]).splitlines()[-1]
        self.assertEqual(last, "| S | 2 | 1 | 1 | 2 | 1 | 3 | 3 | 3 | 2 / 4 |")

    def test_rows_survive_being_kept_and_broken_ones_are_no_rows(self):
        results = {"one": {"plain": UnitResult({"a": PASSED}, 1.0),
                           "launched": UnitResult({"a": PASSED}, 2.0, ways.Recording(1, {"x": 2}))}}
        found = {"S": summary.summarize("S", "S 1", results, [])}
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "new", "results.json")
            self.assertEqual(summary.load(path), {})
            summary.store(path, found)
            self.assertEqual(summary.load(path), found)
            for broken in ("", "[]", '{"S": 1}', '{"S": {"suite": "S"}}'):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(broken)
                self.assertEqual(summary.load(path), {})


class WholeRun(unittest.TestCase):
    """main() from end to end, with a suite of one shell script and an observer of a few lines."""

    LAUNCHER = """#!/bin/sh
while [ "$1" != -- ]; do [ "$1" = --json ] && recording=$2; shift; done; shift
printf '{"type":"session"}\\n{"type":"end","counts":{"stall":{"reported":0}},"losses":{}}\\n' >"$recording"
WATCHED=launched exec "$@"
"""

    class Script(Unit):
        suite = name = "script"

        def __init__(self, script):
            self.script = script

        def command(self, directory, cases):
            return ["/bin/sh", "-c", self.script]

        def version(self, work):
            return "script 1"

        def outcomes(self, run, directory, output):
            return outcomes.from_tap(read_text(output), run)

    def run_script(self, script):
        with tempfile.TemporaryDirectory() as build:
            os.mkdir(os.path.join(build, "bin"))
            os.mkdir(os.path.join(build, "lib"))
            launcher = os.path.join(build, "bin", "tailback")
            with open(launcher, "w", encoding="utf-8") as file:
                file.write(self.LAUNCHER)
            os.chmod(launcher, 0o755)
            open(os.path.join(build, "lib", "libtailback.so"), "w", encoding="utf-8").close()
            arguments = ["run_suites.py", "--build", build, "--ways", "plain,launched"]
            with mock.patch.object(sys, "argv", arguments), \
                    mock.patch.object(run_suites, "available_units",
                                      lambda *_: ([self.Script(script)], [])), \
                    contextlib.redirect_stdout(io.StringIO()) as told:
                return run_suites.main(), told.getvalue()

    def test_no_difference(self):
        status, told = self.run_script("echo 'ok 1 a'; echo 'not ok 2 b'; exit 1")
        self.assertEqual(status, 0, told)
        self.assertIn("| script | 2 | 0 | 1 | 1 |", told)

    def test_a_test_that_fails_only_watched(self):
        status, told = self.run_script('[ -z "$WATCHED" ] || echo -n "not "; echo "ok 1 a"')
        self.assertEqual(status, 1, told)
        self.assertIn("difference: script: a: launched failed failed failed failed", told)

    def test_a_crash_only_watched_after_the_last_test(self):
        status, told = self.run_script('echo "ok 1 a"; [ -z "$WATCHED" ] || kill -SEGV $$')
        self.assertEqual(status, 1, told)
        self.assertIn(f"difference: script: {END}: launched crashed", told)

    def test_an_incomplete_recording(self):
        with mock.patch.object(type(self), "LAUNCHER", self.LAUNCHER.replace('"end"', '"stall"')):
            status, told = self.run_script("echo 'ok 1 a'")
        self.assertEqual(status, 1, told)
        self.assertIn("recording: script: launched: the recording does not end", told)


class AbsentSuites(unittest.TestCase):
    def test_nothing_installed_is_said_and_skipped(self):
        with tempfile.TemporaryDirectory() as build, \
                mock.patch.object(ways.Tailback, "missing", lambda self: []), \
                mock.patch.object(python_suite, "missing", lambda: "needs package P"), \
                mock.patch.object(glib_suite, "missing", lambda: "needs package G"), \
                mock.patch.object(sys, "argv", ["run_suites.py", "--quick", "--build", build]), \
                contextlib.redirect_stderr(io.StringIO()) as errors:
            self.assertEqual(run_suites.main(), 77)
        self.assertEqual(errors.getvalue(),
                         "run_suites.py: nothing to run: needs package P; needs package G\n")

    def test_a_name_that_no_suite_has(self):
        with tempfile.TemporaryDirectory() as build, \
                mock.patch.object(ways.Tailback, "missing", lambda self: []), \
                mock.patch.object(python_suite, "missing", lambda: None), \
                mock.patch.object(glib_suite, "missing", lambda: None), \
                mock.patch.object(sys, "argv",
                                  ["run_suites.py", "--only", "nonsense", "--build", build]), \
                contextlib.redirect_stderr(io.StringIO()) as errors:
            self.assertEqual(run_suites.main(), 2)
        self.assertIn("no suite or program named nonsense", errors.getvalue())


class CommandLine(unittest.TestCase):
    def status(self, *arguments):
        with mock.patch.object(sys, "argv", ["run_suites.py", *arguments]), \
                contextlib.redirect_stderr(io.StringIO()) as errors:
            try:
                status = run_suites.main()
            except SystemExit as ended_early:
                status = ended_early.code
        return status, errors.getvalue().strip().splitlines()[-1]

    def test_bad_input_is_one_line(self):
        self.assertEqual(self.status("--ways", "plain,sideways")[0], 2)
        self.assertIn("there is no 'sideways'", self.status("--ways", "sideways")[1])
        self.assertIn("of whole suites", self.status("--write", "--quick")[1])
        self.assertEqual(self.status("--build", "/nonexistent")[0], 2)
        self.assertIn("build Tailback first", self.status("--build", "/nonexistent")[1])


if __name__ == "__main__":
    unittest.main()
