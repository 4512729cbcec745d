"""Which test cases tell a watched run from a plain one, and whether they do so again."""

from dataclasses import dataclass, field

from outcomes import BAD, END, MISSING, PASSED, SKIPPED

# A case that failed watched and not plain is run again this many times in both ways.
ROUNDS = 3
# It is a difference if it then fails watched in at least so many rounds, and plain in none. Fewer:
# flaky. One more failure by chance is common on a busy machine, two without a plain one are not.
ROUNDS_THAT_CONVICT = 2


@dataclass
class Verdict:
    """What the rounds said of one case in one watched way."""

    unit: str
    case: str
    way: str
    watched: list = field(default_factory=list)  # outcomes, the first run's and each round's
    plain: list = field(default_factory=list)

    def differs(self):
        again = sum(is_worse(plain, watched)
                    for plain, watched in zip(self.plain[1:], self.watched[1:]))
        return again >= ROUNDS_THAT_CONVICT and not any(outcome in BAD for outcome in self.plain)

    def text(self):
        bad_watched = sum(outcome not in (PASSED, SKIPPED) for outcome in self.watched)
        bad_plain = sum(outcome in BAD for outcome in self.plain)
        return (f"{self.unit}: {self.case}: {self.way} {' '.join(self.watched)}; "
                f"plain {' '.join(self.plain)} "
                f"({bad_watched} of {len(self.watched)} against {bad_plain} of {len(self.plain)})")


def is_worse(plain, watched):
    """A case that ran plain and is skipped watched has not been tested: a difference too."""
    return (plain == PASSED and watched != PASSED) or (plain == SKIPPED and watched in BAD)


def suspects(plain, watched):
    """Cases that are worse off watched. Both are case → outcome."""
    return sorted(case for case, outcome in plain.items()
                  if is_worse(outcome, watched.get(case, MISSING)))


def new_failures(plain, watched):
    """Failures of cases that the plain run does not know: a failed set-up has its own name."""
    return sorted(case for case, outcome in watched.items()
                  if case not in plain and outcome in BAD)


def judge(unit, way, plain, watched, run_again):
    """Verdicts for all cases that are worse off watched. `run_again(way, cases)` runs them once
    more and returns case → outcome; way is None for plain."""
    named = suspects(plain, watched) + new_failures(plain, watched)
    if not named:
        return []
    verdicts = [Verdict(unit, case, way, [watched.get(case, MISSING)],
                        [plain.get(case, PASSED)]) for case in named]
    # If only the end of the program differs, the whole of it is what has to be run again.
    only = None if END in named else named
    for _ in range(ROUNDS):
        again_plain = run_again(None, only)
        again_watched = run_again(way, only)
        for verdict in verdicts:
            absent = PASSED if verdict.case not in plain else MISSING
            verdict.plain.append(again_plain.get(verdict.case, absent))
            verdict.watched.append(again_watched.get(verdict.case, absent))
    return verdicts
