"""RESULTS.md: what the suites gave when all of them were run."""

from summary import total

HEAD = """# Whole suites of others, plain and watched

Test suites of existing programs and libraries, run alone (plain), under `tailback run` (launched)
and with a bare `LD_PRELOAD` (preloaded). Written by

    cmake --build build --target suites

A test that fails watched and not plain is run again three times in both ways; it is a *difference*
if it then fails watched at least twice and plain never, else it is flaky. What can't run here (no
network, another system, …) is skipped or fails in all ways alike. Iterations of the tests' loops that
took longer than 100 ms are the *stalls* that the observer saw: launched / preloaded.

"""


def row(summary):
    return [summary.suite, f"{summary.tests:,}", f"{summary.skipped:,}",
            *map(str, summary.failures.values()),
            *(f"{seconds:,.0f}" for seconds in summary.seconds.values()),
            " / ".join(map(str, summary.stalls.values()))]


def table(summaries):
    """The table as Markdown."""
    ways = list(summaries[0].failures)
    header = (["suite", "tests run", "skipped"] + [f"failures {way}" for way in ways] +
              [f"seconds {way}" for way in ways] + ["stalls"])
    rows = [header] + [row(summary) for summary in summaries]
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    lines.insert(1, "|---|" + "---:|" * (len(header) - 1))
    return "\n".join(lines) + "\n"


def bullets(lines):
    return "".join(f"- {line}\n" for line in lines) or "None.\n"


def page(summaries):
    def all_of(name):
        return [line for summary in summaries for line in getattr(summary, name)]

    losses = {}
    for summary in summaries:
        for name, count in summary.losses.items():
            losses[name] = losses.get(name, 0) + count
    unseen = ", ".join(f"{name} {count:,}" for name, count in sorted(losses.items()))
    return (HEAD + table([*summaries, total(summaries)]) +
            "\n## Differences\n\n" + bullets(all_of("differences")) +
            "\n## Flaky\n\n" + bullets(all_of("flaky")) +
            "\n## Recordings\n\nEvery watched run has to leave a complete recording. Faults:\n\n" +
            bullets(all_of("faults")) +
            "\nWhat the observers say they could not see, which these suites bring about "
            "(`programs`: executed\nwithout the preload, being static or given an environment of "
            "their own; `samples`: stalls whose\nprocess was gone before its stack could be read): "
            f"{unseen or 'nothing'}.\n"
            "\n## Versions\n\n" + bullets(dict.fromkeys(summary.version for summary in summaries)))
