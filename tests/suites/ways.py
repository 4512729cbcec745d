"""The ways in which a suite is run: alone, and watched in both ways that Tailback offers."""

import json
import os
from dataclasses import dataclass, field

PLAIN = "plain"
LAUNCHED = "launched"
PRELOADED = "preloaded"
WAYS = (PLAIN, LAUNCHED, PRELOADED)

# A loss that the suites themselves cause: they run static programs and clear environments
# (programs), and end processes while a stall of theirs is being read (samples). Others are ours.
OWN_LOSSES = ("events", "threads", "processes", "corrupt")


class Tailback:
    """The build under test."""

    def __init__(self, build):
        self.binary = os.path.join(build, "bin", "tailback")
        self.recorder = os.path.join(build, "lib", "libtailback.so")

    def missing(self):
        return [path for path in (self.binary, self.recorder) if not os.path.exists(path)]

    def watched(self, way, command, environment, recording):
        """The command and the environment that make `command` run in that way."""
        environment = {name: value for name, value in environment.items()
                       if not name.startswith("TAILBACK_") and name != "LD_PRELOAD"}
        if way == LAUNCHED:
            command = [self.binary, "run", "--quiet", "--json", recording, "--", *command]
        elif way == PRELOADED:
            environment |= {"LD_PRELOAD": self.recorder, "TAILBACK_JSON": recording,
                            "TAILBACK_QUIET": "1"}
        return command, environment


@dataclass
class Recording:
    """What the observer of a run wrote."""

    stalls: int = 0
    losses: dict = field(default_factory=dict)
    faults: list = field(default_factory=list)  # what is wrong with it: nothing should be


def read_recording(path):
    recording = Recording()
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        recording.faults.append(f"the recording can't be read: {error}")
        return recording
    records = []
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError("not an object")
        except ValueError as error:
            recording.faults.append(f"line {number} of the recording is no record: {error}")
            return recording
        records.append(record)
    if not records or records[0].get("type") != "session":
        recording.faults.append("the recording does not begin with a session record")
    if not records or records[-1].get("type") != "end":
        recording.faults.append("the recording does not end with an end record")
        return recording
    end = records[-1]
    recording.stalls = end["counts"]["stall"]["reported"]
    recording.losses = {name: count for name, count in end["losses"].items() if count}
    for name in OWN_LOSSES:
        if recording.losses.get(name):
            recording.faults.append(f"lost: {recording.losses[name]} {name}")
    final = sum(record.get("type") == "stall" and record.get("state") != "ongoing"
                for record in records)
    if final != recording.stalls:
        recording.faults.append(f"{final} final stall records, but the end says {recording.stalls}")
    return recording
