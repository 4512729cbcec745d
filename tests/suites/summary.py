"""What a run of one suite gave, in figures: a row of the result page, kept between runs."""

import json
import os
from dataclasses import asdict, dataclass

from outcomes import SKIPPED, cases, failures
from ways import PLAIN


@dataclass
class Summary:
    suite: str
    version: str
    tests: int  # of the plain run; skipped ones are not in it
    skipped: int
    failures: dict  # way → count
    seconds: dict  # way → of all its programs
    stalls: dict  # watched way → count
    differences: list  # lines
    flaky: list
    faults: list
    losses: dict  # name → count, over the watched ways


def summarize(suite, version, results, verdicts):
    """results: unit → way → UnitResult of that suite; verdicts: of its units."""
    ways = list(next(iter(results.values())))
    watched = [(unit, way, by_way[way].recording)
               for unit, by_way in results.items() for way in ways if way != PLAIN]

    def outcomes(way):
        return [outcome for by_way in results.values()
                for outcome in cases(by_way[way].outcomes).values()]

    losses = {}
    for _, _, recording in watched:
        for name, count in recording.losses.items():
            losses[name] = losses.get(name, 0) + count
    return Summary(
        suite, version,
        tests=sum(outcome != SKIPPED for outcome in outcomes(PLAIN)),
        skipped=sum(outcome == SKIPPED for outcome in outcomes(PLAIN)),
        failures={way: sum(failures(by_way[way].outcomes) for by_way in results.values())
                  for way in ways},
        seconds={way: sum(by_way[way].seconds for by_way in results.values()) for way in ways},
        stalls={way: sum(recording.stalls for _, of, recording in watched if of == way)
                for way in ways if way != PLAIN},
        differences=[verdict.text() for verdict in verdicts if verdict.differs()],
        flaky=[verdict.text() for verdict in verdicts if not verdict.differs()],
        faults=[f"{unit}: {way}: {fault}" for unit, way, recording in watched
                for fault in recording.faults],
        losses=losses)


def total(summaries):
    """The sum of all rows."""
    def by_way(name):
        return {way: sum(getattr(summary, name)[way] for summary in summaries)
                for way in getattr(summaries[0], name)}
    return Summary("**all**", "", sum(summary.tests for summary in summaries),
                   sum(summary.skipped for summary in summaries), by_way("failures"),
                   by_way("seconds"), by_way("stalls"), [], [], [], {})


def load(path):
    """suite → Summary, of earlier runs; empty if there are none, or of another kind."""
    try:
        with open(path, encoding="utf-8") as file:
            return {suite: Summary(**kept) for suite, kept in json.load(file).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def store(path, summaries):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump({suite: asdict(summary) for suite, summary in summaries.items()}, file, indent=1)
    os.replace(path + ".new", path)
