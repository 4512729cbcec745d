"""What really happened in a run of `stalls`, and which causes are right for it."""

import json
from dataclasses import dataclass, field

# A stall this close to the threshold may be reported or not.
NEAR_MS = 2.0
# Shares this close to one of the rules' limits let either side be right.
CLOSE_SHARE = 0.1


@dataclass
class Iteration:
    """An iteration of a loop that was made long, or that was long by itself (`number` 0)."""

    loop: str
    tid: int
    number: int
    group: str
    begin_ms: float  # since 1970
    length_ms: float
    on_cpu_ms: float = 0.0
    runnable_ms: float = 0.0
    # (causes, function, length in ms without the wait for a CPU), longest first
    parts: list = field(default_factory=list)
    overloaded: bool = False  # the machine was

    @property
    def end_ms(self):
        return self.begin_ms + self.length_ms

    @property
    def planned(self):
        return self.number > 0

    def is_long(self, threshold_ms):
        return self.length_ms > threshold_ms

    def is_near(self, threshold_ms):
        return abs(self.length_ms - threshold_ms) <= NEAR_MS

    def function(self):
        return self.parts[0][1] if self.parts else "nothing"


@dataclass
class Truth:
    iterations: list = field(default_factory=list)
    loop_iterations: int = 0  # of all loops, healthy ones too
    loops: int = 0
    lacking: list = field(default_factory=list)  # groups that the machine refuses, with the reason


def read_truth(lines, overloaded=False):
    truth = Truth()
    for line in lines:
        record = json.loads(line)
        if record["type"] == "loop":
            truth.loops += 1
            truth.loop_iterations += record["iterations"]
        elif record["type"] == "lacking":
            truth.lacking.append(record["reason"])
        else:
            parts = sorted(((tuple(part["causes"].split(",")), part["function"],
                             part["length_ms"] - part["runnable_ms"])
                            for part in record["parts"]), key=lambda part: -part[2])
            truth.iterations.append(Iteration(record["loop"], record["tid"], record["number"],
                                    record["group"], record["begin_ms"], record["length_ms"],
                                    record["on_cpu_ms"], record["runnable_ms"], parts,
                                    overloaded))
    return truth


def lacked_a_cpu(iteration, threshold_ms):
    """Whether by its own accounting the iteration was starved: more than half of it ready to run without
    a CPU, and not too long without that. None: too close to say."""
    share = iteration.runnable_ms / iteration.length_ms
    rest_ms = iteration.length_ms - iteration.runnable_ms
    if share < 0.5 - CLOSE_SHARE / 2 or rest_ms > threshold_ms * (1 + CLOSE_SHARE):
        return False
    if share > 0.5 + CLOSE_SHARE / 2 and rest_ms < threshold_ms * (1 - CLOSE_SHARE):
        return True
    return None


def right_causes(iteration, threshold_ms):
    """The causes of which a report may name any. What was planned decides, as it was measured,
    without the time in which the thread was ready but had no CPU: a second part that came out nearly
    as long as the first is right too. Where the machine kept the thread from its CPU, that is the
    cause."""
    rest_ms = iteration.length_ms - iteration.runnable_ms
    if iteration.group == "run-queue-wait" and rest_ms > threshold_ms * (1 - CLOSE_SHARE):
        return {"run-queue-wait", "cpu"}  # too long even without the wait for a CPU
    if iteration.group == "throttled" and iteration.overloaded:
        # It is both; and maybe too long even without the wait for a CPU.
        too_long = rest_ms > threshold_ms * (1 - CLOSE_SHARE)
        return {"throttled", "run-queue-wait"} | ({"cpu"} if too_long else set())
    if iteration.group in ("run-queue-wait", "throttled"):
        return {iteration.group}
    right = set()
    if iteration.parts:
        first = iteration.parts[0]
        for causes, _, length_ms in iteration.parts:
            if length_ms > 0.7 * first[2]:
                right |= set(causes)
    starved = lacked_a_cpu(iteration, threshold_ms)
    if starved:
        return {"run-queue-wait"}
    if starved is None or not right:
        right.add("run-queue-wait")
    return right
