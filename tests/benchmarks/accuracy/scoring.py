"""Pairs what was reported with what was true, and counts."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import truths


@dataclass
class Report:
    tid: int
    begin_ms: float  # since 1970; the format has whole milliseconds
    length_ms: float
    cause: str
    function: str = ""

    @property
    def end_ms(self):
        return self.begin_ms + self.length_ms


def read_reports(lines):
    """The stalls of a recording, each as its final line has it."""
    return [Report(line["tid"], datetime.fromisoformat(line["time"]).timestamp() * 1000,
                   line["duration_ms"], line["cause"],
                   line["call"]["function"] if line["call"] else "")
            for line in lines if line["type"] == "stall" and line["state"] != "ongoing"]


def overlap_ms(iteration, report):
    if iteration.tid != report.tid:
        return 0.0
    return min(iteration.end_ms, report.end_ms) - max(iteration.begin_ms, report.begin_ms)


def pair(iterations, reports):
    """(iteration, report) of those that belong together, reports without an iteration, iterations without one.
    Each has one partner at most: a second report of the same iteration is one too many."""
    candidates = []
    by_tid = {}
    for iteration in iterations:
        by_tid.setdefault(iteration.tid, []).append(iteration)
    for at, report in enumerate(reports):
        for iteration in by_tid.get(report.tid, ()):
            common = overlap_ms(iteration, report)
            if common > 0.5 * max(iteration.length_ms, report.length_ms):
                # The nearer in length, the better: a report may stand for the same time twice.
                candidates.append((abs(iteration.length_ms - report.length_ms), at, id(iteration), iteration,
                                   report))
    candidates.sort(key=lambda one: one[:3])
    pairs, used_reports, used_iterations = [], set(), set()
    for _, at, key, iteration, report in candidates:
        if at in used_reports or key in used_iterations:
            continue
        used_reports.add(at)
        used_iterations.add(key)
        pairs.append((iteration, report))
    return (pairs, [report for at, report in enumerate(reports) if at not in used_reports],
            [iteration for iteration in iterations if id(iteration) not in used_iterations])


def length_limit_ms(length_ms):
    return 1.0 + 0.01 * length_ms


@dataclass
class Score:
    """Of some iterations: those of a cause, of a loop, of a machine's state."""

    stalls: int = 0     # clearly over the threshold
    found: int = 0
    missed: int = 0
    near: int = 0       # within 2 ms of the threshold: either is right
    short: int = 0      # planned, but under the threshold
    false: int = 0
    unplanned: int = 0  # of the stalls: long by the machine's doing
    close: int = 0      # of those found: more than one cause is right
    wrong: Counter = field(default_factory=Counter)  # (right, reported) → how often
    errors_ms: list = field(default_factory=list)
    beyond: int = 0     # length errors over the limit
    faults: list = field(default_factory=list)  # one line each

    def add(self, other):
        for name in ("stalls", "found", "missed", "near", "short", "false", "unplanned", "close",
                     "beyond"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.wrong += other.wrong
        self.errors_ms += other.errors_ms
        self.faults += other.faults

    @property
    def wrongs(self):
        return sum(self.wrong.values())

    def error_ms(self, share):
        """The length error that this share of the reports does not exceed."""
        if not self.errors_ms:
            return 0.0
        ordered = sorted(self.errors_ms)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def tell(iteration):
    parts = ", ".join(f"{'|'.join(causes)} ({function}) {length:.1f} ms"
                      for causes, function, length in iteration.parts) or "nothing planned"
    return (f"{iteration.loop}, thread {iteration.tid}, iteration {iteration.number} of {iteration.length_ms:.3f} ms: {parts}; "
            f"on CPU {iteration.on_cpu_ms:.0f} ms, without {iteration.runnable_ms:.0f} ms")


def score_iteration(iteration, report, threshold_ms):
    """Of one iteration and its report, None if there is none."""
    score = Score()
    if iteration.is_near(threshold_ms):
        score.near = 1
    elif not iteration.is_long(threshold_ms):
        score.short = 1 if iteration.planned else 0
        if report:
            score.false = 1
            score.faults.append(f"false: {report.cause} {report.length_ms:.3f} ms, but {tell(iteration)}")
    else:
        score.stalls = 1
        score.unplanned = 0 if iteration.planned else 1
        score.found = 1 if report else 0
        score.missed = 0 if report else 1
        if not report:
            score.faults.append(f"missed: {tell(iteration)}")
    if not report or score.false:
        return score
    right = truths.right_causes(iteration, threshold_ms)
    score.close = 1 if len(right) > 1 and iteration.group != "nested" else 0
    if report.cause not in right:
        score.wrong["/".join(sorted(right)), report.cause] += 1
        score.faults.append(f"wrong cause: {report.cause} ({report.function}), but {tell(iteration)}")
    error_ms = abs(report.length_ms - iteration.length_ms)
    score.errors_ms.append(error_ms)
    if error_ms > length_limit_ms(iteration.length_ms):
        score.beyond = 1
        score.faults.append(f"length: {report.length_ms:.3f} ms, but {tell(iteration)}")
    return score


@dataclass
class Tables:
    """The scores of one state of the machine."""

    by_group: dict = field(default_factory=dict)
    by_loop: dict = field(default_factory=dict)
    total: Score = field(default_factory=Score)
    iterations: int = 0  # of all loops
    notes: Counter = field(default_factory=Counter)
    losses: Counter = field(default_factory=Counter)

    def count(self, group, loop, score):
        self.by_group.setdefault(group, Score()).add(score)
        self.by_loop.setdefault(loop, Score()).add(score)
        self.total.add(score)

    def add_run(self, loop, truth, lines, threshold_ms):
        """A run of `stalls` with one kind of loop, and the lines of its recording."""
        pairs, strangers, alone = pair(truth.iterations, read_reports(lines))
        for iteration, report in pairs + [(iteration, None) for iteration in alone]:
            self.count(iteration.group or "unplanned", loop, score_iteration(iteration, report, threshold_ms))
        for report in strangers:
            fault = (f"false: {report.cause} ({report.function}) {report.length_ms:.3f} ms, {loop}, "
                     f"thread {report.tid}, at no long iteration of its own")
            self.count("unplanned", loop, Score(false=1, faults=[fault]))
        self.iterations += truth.loop_iterations
        for line in lines:
            if line["type"] == "note":
                self.notes[line["kind"]] += 1
            elif line["type"] == "end":
                self.losses += Counter(line["losses"])


def broken_limits(tables, wrong_share):
    """What is worse than it may be, a line each."""
    total = tables.total
    broken = []
    if total.missed:
        broken.append(f"{total.missed} of {total.stalls} stalls missed; none may be")
    if total.false:
        broken.append(f"{total.false} false reports; none may be")
    if total.wrongs > wrong_share * total.found:
        broken.append(f"{total.wrongs} of {total.found} causes wrong; {wrong_share:.0%} may be")
    if total.beyond:
        broken.append(f"{total.beyond} lengths wrong by more than 1 ms + 1 %; none may be")
    return broken
