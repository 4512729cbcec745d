"""One program of a suite, which runs some of its test cases."""

import os


class Unit:
    """`suite` is the unit's row on the result page; `name` tells it from the suite's others."""

    suite = ""
    name = ""
    limit_s = 300.0
    user = None  # a user id to run as; None: our own

    def version(self, work):
        """The suite's version and where it comes from, as the result page says it."""
        raise NotImplementedError

    def prepare(self, directory):
        """Puts into the empty private directory what the command expects there. What the unit
        writes for itself goes beside that directory."""

    def environment(self, directory):
        """The variables in which it differs from the bare environment."""
        return {}

    def command(self, directory, cases):
        """The command that runs all cases of the unit, or at least `cases` if that is not None."""
        raise NotImplementedError

    def outcomes(self, run, directory, output):
        """Case → outcome, from what the run left in the directory and in its output."""
        raise NotImplementedError


def bare_environment(directory):
    """The same for every run: nothing of the caller's but where the programs and the house are."""
    environment = {name: os.environ[name] for name in ("PATH", "USER", "LOGNAME")
                   if name in os.environ}
    return environment | {"HOME": directory, "TMPDIR": directory, "LC_ALL": "C.UTF-8"}


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""
