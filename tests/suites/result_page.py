"""RESULTS.md: what a whole run of all suites gave."""

from outcomes import BAD, SKIPPED, cases
from ways import PLAIN, WAYS

HEAD = """# Whole suites of others, plain and watched

Test suites of existing programs and libraries, run alone (plain), under `tailback run` (launched) and
with a bare `LD_PRELOAD` (preloaded). Written by

    cmake --build build --target suites

A test that fails watched and not plain is run again three times in both ways; it is a *difference* if
it then fails watched at least twice and plain never, else it is flaky. What can't run here (no
network, another system, …) is skipped or fails in all ways alike.

"""


def row_of(suite, results, ways):
    """One row's cells: results is unit → way → UnitResult of that suite."""
    def outcomes(way):
        return [outcome for by_way in results.values() if way in by_way
                for outcome in cases(by_way[way].outcomes).values()]
    plain = outcomes(PLAIN)
    cells = [suite, f"{sum(outcome != SKIPPED for outcome in plain):,}",
             f"{sum(outcome == SKIPPED for outcome in plain):,}"]
    cells += [str(sum(outcome in BAD for outcome in outcomes(way))) for way in ways]
    cells += [f"{sum(by_way[way].seconds for by_way in results.values()):,.0f}" for way in ways]
    stalls = [sum(by_way[way].recording.stalls for by_way in results.values())
              for way in ways if way != PLAIN]
    return cells + [" / ".join(map(str, stalls))]


def table(all_results, ways):
    """The table as Markdown. all_results: suite → unit → way → UnitResult."""
    header = (["suite", "tests run", "skipped"] + [f"failures {way}" for way in ways] +
              [f"seconds {way}" for way in ways] + ["stalls seen"])
    rows = [row_of(suite, results, ways) for suite, results in all_results.items()]
    lines = ["| " + " | ".join(header) + " |",
             "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def bullets(lines):
    return "".join(f"- {line}\n" for line in lines) or "None.\n"


def page(all_results, differences, flaky, faults, losses, versions):
    total = {"all": {name: by_way for results in all_results.values()
                     for name, by_way in results.items()}}
    everything = table({**all_results, "**all**": total["all"]}, WAYS)
    return (HEAD + everything +
            "\n## Differences\n\n" + bullets(differences) +
            "\n## Flaky: failed watched at first, but not again, or plain as well\n\n" +
            bullets(flaky) +
            "\n## Recordings\n\nEvery watched run leaves a recording that has to be complete. "
            "Faults:\n\n" + bullets(faults) +
            "\nWhat the observer says it could not see, summed over all runs (programs that a test "
            "starts without the preload; stalls whose process was gone before it could be read): " +
            (", ".join(f"{name} {count}" for name, count in sorted(losses.items())) or "nothing") +
            ".\n\n## Versions\n\n" + bullets(versions))
