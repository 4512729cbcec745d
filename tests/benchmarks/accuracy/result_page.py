"""RESULTS.md: what the whole benchmark gave."""

import os
import platform

import load

HEAD = """# How right Tailback is

Written by

    cmake --build build --target accuracy

## Stalls whose truth is known

`stalls` runs event loops of all kinds with healthy iterations (a timer, a pipe, a connection) among which
are long ones of a random cause and of 0.5 to 20 times the threshold of {threshold} ms. It measures
each iteration with its own clock, from the return of the loop's wait to the entry into the next. A
*stall* is an iteration that was in truth longer than the threshold; *near* ones, within 2 ms of it, may be
reported or not; *short* ones and all healthy iterations may not. *Unplanned* stalls are the machine's
doing. The right cause is that of the part that took most; an iteration that was ready to run without a CPU
for more than half of its length, and is no longer than the threshold without that, is
*run-queue-wait* whatever was planned. *Close*: of two causes either is right, for they took nearly the same, or what a
rule asks for is met by a hair; a *throttled* iteration on the overloaded machine lacks a CPU for two
reasons. A length is *beyond* if it is wrong by more than 1 ms + 1 %.

"""

HEALTHY_HEAD = """
## Healthy programs

Each under load, watched with the default threshold of 100 ms. None of them may be reported.
Iterations that had no CPU (*run-queue-wait*) are the machine's doing, and counted apart.

"""


def cells_to_table(rows):
    lines = ["| " + " | ".join(map(str, cells)) + " |" for cells in rows]
    lines.insert(1, "|---|" + "---:|" * (len(rows[0]) - 1))
    return "\n".join(lines) + "\n"


SCORE_HEADER = ["stalls", "found", "missed", "false", "wrong cause", "length error: median", "p99",
                "max", "beyond", "near", "short", "close"]


def score_row(name, score):
    return [name, score.stalls, score.found, score.missed, score.false, score.wrongs,
            *(f"{score.error_ms(share):.3f} ms" for share in (0.5, 0.99, 1.0)), score.beyond,
            score.near, score.short, score.close]


def score_table(first, scores, total):
    rows = [[first, *SCORE_HEADER]]
    rows += [score_row(name, score) for name, score in sorted(scores.items())]
    return cells_to_table(rows + [score_row("all", total)])


def wrong_words(total):
    if not total.wrong:
        return "No cause was wrong.\n"
    told = [f"{right} → {reported}: {count}" for (right, reported), count in
            total.wrong.most_common()]
    return "Wrong causes (right → reported): " + "; ".join(told) + ".\n"


def counter_words(counter):
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items()) if count) or "none"


def state_section(state, tables, wrong_share):
    total = tables.total
    return (f"### {state.capitalize()} machine\n\n"
            f"{tables.iterations:,} iterations, of which {total.stalls} were stalls "
            f"({total.unplanned} of them unplanned). Wrong causes: "
            f"{100 * total.wrongs / max(total.found, 1):.1f} %, at most {wrong_share:.0%} may be.\n\n"
            + score_table("cause", tables.by_group, total) + "\n"
            + score_table("loop", tables.by_loop, total) + "\n"
            + wrong_words(total)
            + f"Notes of the observer: {counter_words(tables.notes)}. "
            f"Losses: {counter_words(tables.losses)}.\n\n")


def summary_table(states):
    """The short one, for the README."""
    rows = [["machine", "stalls", "found", "false reports", "wrong cause", "length error, median",
             "largest"]]
    for state, tables, _ in states:
        total = tables.total
        rows.append([state, total.stalls, total.found, total.false,
                     f"{total.wrongs} ({100 * total.wrongs / max(total.found, 1):.1f} %)",
                     f"{total.error_ms(0.5):.3f} ms", f"{total.error_ms(1.0):.3f} ms"])
    return cells_to_table(rows)


def healthy_table(results):
    rows = [["program", "load", "version", "seconds", "iterations", "reports", "run-queue-wait"]]
    rows += [[one.name, one.load, one.version, f"{one.seconds:.0f}", f"{one.iterations:,}", one.reports,
              one.starved] for one in results]
    rows.append(["all", "", "", f"{sum(one.seconds for one in results):.0f}",
                 f"{sum(one.iterations for one in results):,}", sum(one.reports for one in results),
                 sum(one.starved for one in results)])
    lines = cells_to_table(rows).split("\n")
    lines[1] = "|---|---|---:|---:|---:|---:|---:|"
    return "\n".join(lines)


def machine_words(load_before):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return (f"Machine: {os.cpu_count()} × {models[0] if models else platform.machine()}, Linux "
            f"{platform.release()}; load average before: {load_before:.1f}. Overloaded: by "
            f"{load.words()}.\n\n")


def stalls_page(states, threshold_ms, load_before, lacking):
    text = HEAD.format(threshold=threshold_ms) + machine_words(load_before) + summary_table(states)
    text += "\n"
    for reason in lacking:
        text += f"Not possible on this machine: {reason}.\n\n"
    for state, tables, wrong_share in states:
        text += state_section(state, tables, wrong_share)
    return text.rstrip("\n") + "\n"


def healthy_page(results, skipped):
    text = HEALTHY_HEAD + healthy_table(results)
    if skipped:
        text += "\nNot run: " + "; ".join(skipped) + ".\n"
    return text
