"""What became of each test case of a run, in the words that all suites share."""

PASSED = "passed"
SKIPPED = "skipped"
FAILED = "failed"
CRASHED = "crashed"
HUNG = "hung"
MISSING = "missing"  # ran plain, and is not mentioned in this run

BAD = (FAILED, CRASHED, HUNG, MISSING)

# Stands for the program that runs the cases: how it ended after the last of them.
END = "(end of the program)"


def cases(outcomes):
    """The outcomes of real cases only."""
    return {case: outcome for case, outcome in outcomes.items() if case != END}


def failures(outcomes):
    """How many cases failed; one, if it was the program alone."""
    failed = sum(outcome in BAD for outcome in cases(outcomes).values())
    return failed or int(outcomes.get(END) in BAD)


def end_of(run, outcomes):
    """How the program ended. A non-zero status is what a program with failed cases should give."""
    if run.timed_out:
        return HUNG
    if run.status < 0:
        return CRASHED
    if run.status == 77:  # automake's word for "skipped", which GLib's tests use
        return SKIPPED
    if run.status != 0 and not any(outcome in BAD for outcome in outcomes.values()):
        return FAILED
    return PASSED


def from_tap(text, run):
    """Reads the Test Anything Protocol: "ok 1 - name", "not ok 2 name # SKIP reason"."""
    found = {}
    for line in text.splitlines():
        words = line.split(None, 1)
        negated = words[:1] == ["not"]
        if negated:
            words = words[1].split(None, 1) if len(words) > 1 else []
        if words[:1] != ["ok"] or len(words) < 2:
            continue
        description, _, directive = words[1].partition(" #")
        number, _, name = description.partition(" ")
        if not number.isdigit():
            continue
        name = name.strip().removeprefix("- ").strip() or number
        while name in found:  # parametrized cases may share a name
            name += "'"
        directive = directive.strip().upper()
        if directive.startswith("SKIP"):
            found[name] = SKIPPED
        elif negated and not directive.startswith("TODO"):
            found[name] = FAILED
        else:
            found[name] = PASSED
    found[END] = end_of(run, found)
    return found


def from_events(lines, run):
    """Reads what regrtest_with_events.py writes: "start CASE", "OUTCOME CASE", "stop CASE". A case
    may have several outcomes (subtests): the worst counts. One that did not stop was the death of
    the program."""
    found = {}
    open_cases = []
    for line in lines:
        word, _, case = line.rstrip("\n").partition(" ")
        if word == "start":
            open_cases.append(case)
        elif word == "stop":
            if case in open_cases:
                open_cases.remove(case)
            found.setdefault(case, PASSED)
        elif word in (PASSED, SKIPPED, FAILED):
            if found.get(case) != FAILED:
                found[case] = word
    for case in open_cases:
        found[case] = HUNG if run.timed_out else CRASHED
    found[END] = end_of(run, found)
    return found
