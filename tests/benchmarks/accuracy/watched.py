"""Runs commands under `tailback run`."""

import gzip
import json
import os
import subprocess

LIMIT_S = 3600


class WatchError(Exception):
    """A run that gives no figures: the message says which and why."""


class Tailback:
    def __init__(self, build):
        self.binary = os.path.join(build, "bin", "tailback")
        self.stalls = os.path.join(build, "bin", "stalls")
        self.build = build

    def missing(self):
        return [path for path in (self.binary, self.stalls) if not os.path.exists(path)]

    def command(self, recording, command, threshold_ms=None):
        options = ["--quiet", "--json", recording]
        if threshold_ms is not None:
            options += ["--threshold", f"{threshold_ms}ms"]
        return [self.binary, "run", *options, "--", *command]


def read_recording(path):
    """Its lines, if it is complete and nothing was lost that matters here."""
    try:
        opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path, encoding="utf-8")
        with opened as file:
            lines = [json.loads(line) for line in file]
    except (OSError, ValueError) as error:
        raise WatchError(f"{path}: {error}") from error
    if not lines or lines[0]["type"] != "session" or lines[-1]["type"] != "end":
        raise WatchError(f"{path}: the recording is not complete")
    return lines


def run_stalls(tailback, directory, loop, stalls, seed, threshold_ms, only=()):
    """Runs `stalls` watched; returns the lines of its truth and those of the recording."""
    name = loop.replace(" ", "-")
    truth = os.path.join(directory, f"{name}-truth.jsonl")
    recording = os.path.join(directory, f"{name}.jsonl")
    for path in (truth, recording):
        if os.path.exists(path):
            os.remove(path)
    command = [tailback.stalls, "--truth", truth, "--loop", loop, "--stalls", str(stalls), "--seed",
               str(seed), "--threshold", str(threshold_ms)]
    for group in only:
        command += ["--only", group]
    run = subprocess.run(tailback.command(recording, command, threshold_ms), timeout=LIMIT_S,
                         stdin=subprocess.DEVNULL, check=False)
    if run.returncode != 0:
        raise WatchError(f"{' '.join(command)}: ended with status {run.returncode}")
    with open(truth, encoding="utf-8") as file:
        return list(file), read_recording(recording)


def loop_kinds(tailback):
    run = subprocess.run([tailback.stalls, "--list-loops"], capture_output=True, text=True,
                         check=True)
    return run.stdout.splitlines()
