"""How run_accuracy.py pairs, judges and counts."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True

import healthy
import load
import result_page
import run_accuracy
import scoring
import truths
import watched
from scoring import Report
from truths import Iteration

THRESHOLD = 100


def iteration(length, cause="sleep", begin=1000.0, number=1, tid=7, group=None, **more):
    parts = [(tuple(cause.split("|")), "f", length)] if cause else []
    return Iteration("poll", tid, number, cause if group is None else group, begin, length, parts=parts,
                **more)


def several(*parts, runnable=0.0):
    length = sum(ms for _, ms in parts) + runnable
    return Iteration("poll", 7, 1, "several", 1000.0, length, 0.0, runnable,
                [((cause,), "f", ms) for cause, ms in parts])


def score(one, report):
    return scoring.score_iteration(one, report, THRESHOLD)


class Truth(unittest.TestCase):
    def test_lines_become_iterations(self):
        truth = truths.read_truth([
            json.dumps({"type": "loop", "loop": "poll", "tid": 7, "iterations": 40}),
            json.dumps({"type": "lacking", "reason": "fault: refused"}),
            json.dumps({"type": "iteration", "loop": "poll", "tid": 7, "number": 3, "group": "several",
                        "begin_ms": 5.5, "length_ms": 300.0, "on_cpu_ms": 1, "runnable_ms": 2,
                        "parts": [{"causes": "ipc", "function": "read", "length_ms": 90.0,
                                   "runnable_ms": 0.0},
                                  {"causes": "socket,wait", "function": "g", "length_ms": 210.0,
                                   "runnable_ms": 10.0}]})])
        self.assertEqual((truth.loops, truth.loop_iterations, truth.lacking), (1, 40, ["fault: refused"]))
        one = truth.iterations[0]
        self.assertEqual(one.parts[0], (("socket", "wait"), "g", 200.0))
        self.assertEqual(one.end_ms, 305.5)
        self.assertTrue(one.planned)

    def test_near_the_threshold(self):
        for length, near in ((97.9, False), (98.0, True), (102.0, True), (102.1, False)):
            self.assertEqual(iteration(length).is_near(THRESHOLD), near, length)


class RightCauses(unittest.TestCase):
    def right(self, one):
        return truths.right_causes(one, THRESHOLD)

    def test_the_part_that_took_most(self):
        self.assertEqual(self.right(several(("file", 210), ("dns", 90))), {"file"})

    def test_two_that_took_nearly_the_same(self):
        self.assertEqual(self.right(several(("file", 110), ("dns", 100))), {"file", "dns"})

    def test_a_plan_with_several_words(self):
        self.assertEqual(self.right(iteration(300, "socket|ipc")), {"socket", "ipc"})

    def test_without_a_cpu(self):
        self.assertEqual(self.right(iteration(300, "cpu", runnable_ms=250.0)), {"run-queue-wait"})
        self.assertEqual(self.right(iteration(300, "cpu", runnable_ms=180.0)), {"cpu"})
        self.assertEqual(self.right(iteration(300, "cpu", runnable_ms=205.0)), {"cpu", "run-queue-wait"})
        self.assertEqual(self.right(iteration(900, "cpu", runnable_ms=700.0)), {"cpu"})

    def test_the_machines_doing(self):
        self.assertEqual(self.right(iteration(300, "", number=0, runnable_ms=290.0)), {"run-queue-wait"})
        self.assertEqual(self.right(several(("sleep", 100), ("cpu", 30), runnable=200.0)),
                         {"sleep"})

    def test_what_was_planned_to_lack_a_cpu(self):
        self.assertEqual(self.right(iteration(300, "throttled", runnable_ms=200.0)), {"throttled"})
        self.assertEqual(self.right(iteration(300, "throttled", runnable_ms=250.0, overloaded=True)),
                         {"throttled", "run-queue-wait"})
        self.assertEqual(self.right(iteration(300, "run-queue-wait", runnable_ms=298.0)), {"run-queue-wait"})
        self.assertEqual(self.right(iteration(2000, "run-queue-wait", runnable_ms=1900.0)), {"run-queue-wait", "cpu"})


class Pairing(unittest.TestCase):
    def test_by_thread_and_time(self):
        iterations = [iteration(200, begin=1000.0), iteration(200, begin=2000.0), iteration(200, begin=1000.0, tid=8)]
        reports = [Report(8, 1000.9, 200, "sleep"), Report(7, 1999.5, 201, "sleep"),
                   Report(9, 1000, 200, "sleep")]
        pairs, strangers, alone = scoring.pair(iterations, reports)
        self.assertEqual({(id(t), id(r)) for t, r in pairs},
                         {(id(iterations[1]), id(reports[1])), (id(iterations[2]), id(reports[0]))})
        self.assertEqual(strangers, [reports[2]])
        self.assertEqual(alone, [iterations[0]])

    def test_a_second_report_of_a_iteration_is_one_too_many(self):
        one = iteration(200)
        reports = [Report(7, 1000, 205, "sleep"), Report(7, 1000, 200.1, "sleep")]
        pairs, strangers, alone = scoring.pair([one], reports)
        self.assertEqual(pairs, [(one, reports[1])])
        self.assertEqual(strangers, [reports[0]])
        self.assertEqual(alone, [])

    def test_a_touch_is_no_pair(self):
        pairs, strangers, alone = scoring.pair([iteration(200)], [Report(7, 1150, 200, "sleep")])
        self.assertEqual((pairs, len(strangers), len(alone)), ([], 1, 1))

    def test_ongoing_lines_are_not_counted(self):
        line = {"type": "stall", "state": "ongoing", "tid": 7, "cause": "sleep", "call": None,
                "time": "2026-01-02T03:04:05.678+00:00", "duration_ms": 1.0}
        self.assertEqual(scoring.read_reports([line, {"type": "end"}]), [])
        report = scoring.read_reports([line | {"state": "ended"}])[0]
        self.assertAlmostEqual(report.begin_ms % 60000, 5678, 3)
        self.assertEqual(report.function, "")


class Scoring(unittest.TestCase):
    def test_found_and_right(self):
        one = score(iteration(300), Report(7, 1000, 300.5, "sleep"))
        self.assertEqual((one.stalls, one.found, one.missed, one.wrongs, one.beyond), (1, 1, 0, 0, 0))
        self.assertEqual(one.errors_ms, [0.5])
        self.assertEqual(one.faults, [])

    def test_missed(self):
        one = score(iteration(300), None)
        self.assertEqual((one.stalls, one.found, one.missed), (1, 0, 1))
        self.assertIn("missed", one.faults[0])

    def test_near_ones_may_be_told_or_not_but_not_wrongly(self):
        self.assertEqual(score(iteration(101), None).near, 1)
        self.assertEqual(score(iteration(99), Report(7, 1000, 99, "sleep")).false, 0)
        self.assertEqual(score(iteration(99), Report(7, 1000, 99, "dns")).wrongs, 1)

    def test_under_the_threshold_nothing_may_be_told(self):
        self.assertEqual(score(iteration(80), None).short, 1)
        self.assertEqual(score(iteration(80), Report(7, 1000, 101, "sleep")).false, 1)
        self.assertEqual(score(iteration(80, "", number=0), None).short, 0)

    def test_wrong_cause(self):
        one = score(iteration(300), Report(7, 1000, 300, "dns"))
        self.assertEqual(one.wrong, {("sleep", "dns"): 1})

    def test_length(self):
        for error, beyond in ((3.9, 0), (-3.9, 0), (4.1, 1), (-4.1, 1)):
            self.assertEqual(score(iteration(300), Report(7, 1000, 300 + error, "sleep")).beyond, beyond)

    def test_a_iteration_that_nobody_planned_is_a_stall_all_the_same(self):
        one = iteration(300, "", number=0, runnable_ms=290.0)
        self.assertEqual(score(one, None).missed, 1)
        found = score(one, Report(7, 1000, 300, "run-queue-wait"))
        self.assertEqual((found.found, found.unplanned, found.wrongs), (1, 1, 0))

    def test_errors(self):
        one = scoring.Score(errors_ms=[float(n) for n in range(1, 101)])
        self.assertEqual((one.error_ms(0.5), one.error_ms(0.99), one.error_ms(1.0)),
                         (51.0, 100.0, 100.0))
        self.assertEqual(scoring.Score().error_ms(0.5), 0.0)


class Limits(unittest.TestCase):
    def broken(self, wrong_share=0.01, **counts):
        tables = scoring.Tables(total=scoring.Score(**counts))
        return scoring.broken_limits(tables, wrong_share)

    def test_all_is_well(self):
        self.assertEqual(self.broken(stalls=500, found=500), [])
        self.assertEqual(self.broken(found=200, wrong=scoring.Counter({("a", "b"): 2})), [])

    def test_each_is_told(self):
        self.assertIn("missed", self.broken(stalls=5, missed=1)[0])
        self.assertIn("false", self.broken(false=1)[0])
        self.assertIn("lengths", self.broken(beyond=1)[0])
        self.assertIn("causes", self.broken(found=200, wrong=scoring.Counter({("a", "b"): 3}))[0])
        self.assertEqual(self.broken(0.03, found=200, wrong=scoring.Counter({("a", "b"): 6})), [])

    def test_the_short_form_minds_what_was_found_only(self):
        tables = scoring.Tables(total=scoring.Score(
            stalls=3, found=2, missed=1, beyond=2, wrong=scoring.Counter({("a", "b"): 2})))
        self.assertEqual(len(run_accuracy.limits(tables, 0.01, True)), 1)
        self.assertEqual(len(run_accuracy.limits(tables, 0.01, False)), 3)


class WholeRun(unittest.TestCase):
    def test_counts_by_cause_and_loop(self):
        truth = truths.Truth(iterations=[iteration(300), iteration(300, "dns", begin=5000.0),
                                    iteration(60, "cpu", begin=9000.0)], loop_iterations=90)
        stall = {"type": "stall", "state": "ended", "tid": 7, "call": None, "cause": "sleep",
                 "time": "1970-01-01T00:00:01.000+00:00", "duration_ms": 300.0}
        stranger = stall | {"time": "1970-01-01T00:01:01.000+00:00"}
        tables = scoring.Tables()
        tables.add_run("poll", truth, [stall, stranger, {"type": "note", "kind": "stopped"},
                                       {"type": "end", "losses": {"samples": 2}}], THRESHOLD)
        total = tables.total
        self.assertEqual((total.stalls, total.found, total.missed, total.false, total.short),
                         (2, 1, 1, 1, 1))
        self.assertEqual(tables.by_group["dns"].missed, 1)
        self.assertEqual(tables.by_group["unplanned"].false, 1)
        self.assertEqual(tables.by_loop["poll"].found, 1)
        self.assertEqual((tables.iterations, tables.notes["stopped"], tables.losses["samples"]),
                         (90, 1, 2))

    def test_every_stall_has_a_loop(self):
        self.assertEqual(run_accuracy.shares(7, ["a", "b", "c"]), {"a": 3, "b": 2, "c": 2})


class Recordings(unittest.TestCase):
    def test_one_without_an_end_gives_no_figures(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "r.jsonl")
            for text in ("", '{"type": "session"}\n', '{"type": "session"}\n{"ty'):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                with self.assertRaises(watched.WatchError):
                    watched.read_recording(path)
            with self.assertRaises(watched.WatchError):
                watched.read_recording(path + ".none")


class Page(unittest.TestCase):
    def test_shows_both_states_and_what_was_wrong(self):
        tables = scoring.Tables()
        tables.count("dns", "poll", score(iteration(300, "dns"), Report(7, 1000, 300, "sleep")))
        page = result_page.stalls_page([("idle", tables, 0.01), ("overloaded", tables, 0.03)],
                                       THRESHOLD, 0.5, ["fault: refused"])
        for text in ("### Idle machine", "### Overloaded machine", "dns → sleep: 1",
                     "fault: refused", "| idle | 1 | 1 | 0 | 1 (100.0 %)", load.words()):
            self.assertIn(text, page)

    def test_of_healthy_programs(self):
        result = healthy.Result("redis", "7.0", "much", 3.0, 1000, 0)
        page = result_page.healthy_page([result, result], ["h2o (h2o is not installed)"])
        self.assertIn("| redis | much | 7.0 | 3 | 1,000 | 0 | 0 |", page)
        self.assertIn("| all |  |  | 6 | 2,000 | 0 | 0 |", page)
        self.assertIn("Not run: h2o", page)


class Healthy(unittest.TestCase):
    def test_versions(self):
        for text, version in (("nginx version: nginx/1.22.1\n", "1.22.1"), ("v18.19.0", "18.19.0"),
                              ("tmux 3.3a", "3.3a"), ("Redis server v=7.0.15 sha=0", "7.0.15"),
                              ("no number", "?")):
            self.assertEqual(healthy.version_in(text), version)

    def test_starved_iterations_are_counted_apart(self):
        program = mock.Mock(version=["true"])
        stall = {"type": "stall", "state": "ended", "cause": "run-queue-wait", "duration_ms": 200,
                 "call": None}
        lines = [stall, stall | {"cause": "file"}, stall | {"state": "ongoing", "cause": "file"},
                 {"type": "end", "loops": [{"iterations": 4}, {"iterations": 5}]}]
        with mock.patch.object(healthy, "version_of", return_value="1"):
            result = healthy.judge(program, 1.0, lines)
        self.assertEqual((result.reports, result.starved, result.iterations), (1, 1, 9))

    def test_there_are_thirty_with_names_of_their_own(self):
        names = [program.name for program in healthy.PROGRAMS]
        self.assertGreaterEqual(len(names), 30)
        self.assertEqual(len(names), len(set(names)))


class CommandLine(unittest.TestCase):
    def arguments(self, *given):
        with mock.patch.object(sys, "argv", ["run_accuracy.py", *given]), \
                contextlib.redirect_stderr(io.StringIO()):
            return run_accuracy.parse_arguments()

    def test_defaults(self):
        whole, short = self.arguments(), self.arguments("--short")
        self.assertEqual((whole.stalls, whole.threshold, whole.healthy_seconds, whole.states),
                         (1000, 100, 60.0, ["idle", "overloaded"]))
        self.assertEqual((short.stalls, short.healthy_seconds, short.states), (60, 3.0, ["idle"]))

    def test_a_page_of_parts_is_refused(self):
        for given in (["--short"], ["--loop", "poll"], ["--only", "cpu"], ["--states", "idle"],
                      ["--program", "nginx"]):
            with self.assertRaises(SystemExit):
                self.arguments("--write", *given)
        with self.assertRaises(SystemExit):
            self.arguments("--states", "asleep")


if __name__ == "__main__":
    unittest.main()
