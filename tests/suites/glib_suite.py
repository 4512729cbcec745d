"""GLib's own tests, as Debian ships them: one unit per test program, one row of the result page."""

import configparser
import glob
import os
import re
import shlex

import debian
import outcomes
from unit import Unit, read_text

PACKAGE = "libglib2.0-tests"
DESCRIPTIONS = "/usr/share/installed-tests/glib"

# These measure how fast GLib is, and would take minutes.
BENCHMARKS = ("performance", "performance-threaded")

QUICK = (
    "asyncqueue", "cancellable", "gdbus-close-pending", "gdbus-connection",
    "gdbus-connection-flush", "gdbus-exit-on-close", "hook", "hostutils", "io-channel",
    "io-stream", "logging", "once", "pollable", "readwrite", "signals", "socket-listener",
    "socket-service", "spawn-path-search", "spawn-singlethread", "spawn-test", "task", "thread",
    "thread-pool", "unix-fd", "unix-streams",
)


class GlibProgram(Unit):
    suite = "GLib"
    limit_s = 120.0

    def __init__(self, name, command, is_tap):
        self.name = name
        self.program = command
        self.is_tap = is_tap

    def version(self, work):
        return f"GLib {debian.version(PACKAGE)} (Debian's {PACKAGE})"

    def command(self, directory, cases):
        return self.program  # runs in seconds: all its cases, always

    def outcomes(self, run, directory, output):
        if self.is_tap:
            return outcomes.from_tap(without_seeds(read_text(output)), run)
        ended = outcomes.end_of(run, {})
        return {self.name: ended}


def without_seeds(tap):
    """Names of random cases hold the seed, which is another one in each run."""
    return re.sub(r"(?m)^((?:not )?ok .*/seed:)\d+", r"\1any", tap)


def described():
    found = {}
    for path in sorted(glob.glob(os.path.join(DESCRIPTIONS, "*.test"))):
        description = configparser.ConfigParser(interpolation=None)
        description.read(path)
        test = description["Test"]
        name = os.path.basename(path).removesuffix(".test")
        found[name] = GlibProgram(name, shlex.split(test["Exec"]), test.get("Output") == "TAP")
    return found


def units(quick):
    return [unit for name, unit in described().items()
            if (name in QUICK if quick else name not in BENCHMARKS)]


def missing():
    return None if described() else f"GLib's suite needs the package {PACKAGE}"

