"""What really happened in a run of `stalls`, and which causes are right for it."""

import json
from dataclasses import dataclass, field

# A stall this close to the threshold may be reported or not.
NEAR_MS = 2.0
# Shares this close to one of the rules' limits let either side be right.
CLOSE_SHARE = 0.1


@dataclass
class Turn:
    """A turn of a loop that was made long, or that was long by itself (`number` 0)."""

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
    turns: list = field(default_factory=list)
    loop_turns: int = 0  # of all loops, healthy ones too
    loops: int = 0
    lacking: list = field(default_factory=list)  # groups that the machine refuses, with the reason


def read_truth(lines, overloaded=False):
    truth = Truth()
    for line in lines:
        record = json.loads(line)
        if record["type"] == "loop":
            truth.loops += 1
            truth.loop_turns += record["turns"]
        elif record["type"] == "lacking":
            truth.lacking.append(record["reason"])
        else:
            parts = sorted(((tuple(part["causes"].split(",")), part["function"],
                             part["length_ms"] - part["runnable_ms"])
                            for part in record["parts"]), key=lambda part: -part[2])
            truth.turns.append(Turn(record["loop"], record["tid"], record["number"],
                                    record["group"], record["begin_ms"], record["length_ms"],
                                    record["on_cpu_ms"], record["runnable_ms"], parts,
                                    overloaded))
    return truth


def lacked_a_cpu(turn, threshold_ms):
    """Whether by its own accounting the turn was starved: more than half of it ready to run without
    a CPU, and not too long without that. None: too close to say."""
    share = turn.runnable_ms / turn.length_ms
    rest_ms = turn.length_ms - turn.runnable_ms
    if share < 0.5 - CLOSE_SHARE / 2 or rest_ms > threshold_ms * (1 + CLOSE_SHARE):
        return False
    if share > 0.5 + CLOSE_SHARE / 2 and rest_ms < threshold_ms * (1 - CLOSE_SHARE):
        return True
    return None


def right_causes(turn, threshold_ms):
    """The causes of which a report may name any. What was planned decides, as it was measured,
    without the time in which the thread was ready but had no CPU: a second part that came out nearly
    as long as the first is right too. Where the machine kept the thread from its CPU, that is the
    cause."""
    rest_ms = turn.length_ms - turn.runnable_ms
    if turn.group == "starved" and rest_ms > threshold_ms * (1 - CLOSE_SHARE):
        return {"starved", "cpu"}  # too long even without the wait for a CPU
    if turn.group == "throttled" and turn.overloaded:
        # It is both; and maybe too long even without the wait for a CPU.
        too_long = rest_ms > threshold_ms * (1 - CLOSE_SHARE)
        return {"throttled", "starved"} | ({"cpu"} if too_long else set())
    if turn.group in ("starved", "throttled"):
        return {turn.group}
    right = set()
    if turn.parts:
        first = turn.parts[0]
        for causes, _, length_ms in turn.parts:
            if length_ms > 0.7 * first[2]:
                right |= set(causes)
    starved = lacked_a_cpu(turn, threshold_ms)
    if starved:
        return {"starved"}
    if starved is None or not right:
        right.add("starved")
    return right
