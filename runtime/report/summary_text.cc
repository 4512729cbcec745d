#include "runtime/report/summary_text.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "runtime/report/duration_text.h"
#include "runtime/report/stack_text.h"
#include "runtime/report/stall_text.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/report/text_table.h"

namespace tailback {
namespace {

constexpr size_t kCulpritColumns = 60;
constexpr size_t kObjectColumns = 40;
constexpr size_t kSessionRows = 10;
constexpr size_t kFileColumns = 60;
constexpr size_t kRuleColumns = 120;

std::string object_text(const Culprit& culprit) {
  if (culprit.object.empty()) return {};
  return escape_for_terminal(culprit.object, kObjectColumns) +
         (culprit.more_objects ? " and others" : "");
}

std::string caller_text(const Culprit& culprit, size_t level) {
  if (level >= culprit.callers.size()) return {};
  return ", from " + frame_text(culprit.callers[level], kCulpritColumns / 2);
}

std::string call_of(const Culprit& culprit) {
  return culprit.call.empty() ? std::string() : ", in " + escape_for_terminal(culprit.call, 32);
}

// What tells culprits apart that look alike: the first caller that differs, else the call.
std::function<std::string(const Culprit&)> difference(const std::vector<const Culprit*>& alike) {
  const auto differs = [&](const auto& text_of) {
    return std::any_of(alike.begin(), alike.end(), [&](const Culprit* one) {
      return text_of(*one) != text_of(*alike.front());
    });
  };
  size_t levels = 0;
  for (const Culprit* one : alike) levels = std::max(levels, one->callers.size());
  for (size_t level = 0; level < levels; ++level) {
    const auto text = [level](const Culprit& one) { return caller_text(one, level); };
    if (differs(text)) return text;
  }
  return call_of;
}

// "compute (poller.js:3)", with what tells it apart where another row would look like it.
std::vector<std::string> row_names(const std::vector<const Culprit*>& culprits) {
  std::map<std::pair<std::string, Cause>, std::vector<const Culprit*>> alike;
  for (const Culprit* culprit : culprits) {
    alike[{culprit_text(*culprit, kCulpritColumns), culprit->cause}].push_back(culprit);
  }
  std::vector<std::string> names;
  for (const Culprit* culprit : culprits) {
    std::string name = culprit_text(*culprit, kCulpritColumns);
    const auto& others = alike.at({name, culprit->cause});
    if (others.size() > 1) name += difference(others)(*culprit);
    names.push_back(std::move(name));
  }
  return names;
}

std::string row_name(const LoopSummary& loop) {
  const LoopStatistics& s = loop.statistics;
  if (s.pid != 0) return loop_text(s.process, s.pid, s.thread, s.tid, s.loop);
  std::string text = escape_for_terminal(s.process, 32);
  if (s.thread != s.process) text += ", thread " + escape_for_terminal(s.thread, 32);
  text += ", " + escape_for_terminal(s.loop.wait, 32);
  if (s.loop.fd >= 0) text += fmt::format(" on fd {}", s.loop.fd);
  if (loop.loops > 1) text += fmt::format(" ({} loops)", count_text(loop.loops));
  return text;
}

std::vector<LoopSummary> rows_of(const std::vector<LoopStatistics>& loops) {
  std::vector<LoopSummary> rows;
  for (const LoopStatistics& loop : loops) rows.push_back({loop, 1});
  return rows;
}

}  // namespace

std::string culprit_table(const CulpritTally& tally, size_t rows, std::string_view indent) {
  using Align = TextTable::Align;
  TextTable table({{"culprit"},
                   {"cause"},
                   {"count", Align::kRight},
                   {"total", Align::kRight},
                   {"longest", Align::kRight},
                   {"share", Align::kRight},
                   {"object"}});
  Culprit rest = tally.others();
  size_t more = 0;
  std::vector<const Culprit*> culprits = tally.by_total();
  std::vector<const Culprit*> shown(
      culprits.begin(), culprits.begin() + static_cast<ptrdiff_t>(std::min(rows, culprits.size())));
  const std::vector<std::string> names = row_names(shown);
  for (size_t i = 0; i < culprits.size(); ++i) {
    const Culprit* const culprit = culprits[i];
    if (i < names.size()) {
      table.add_row({names[i], std::string(word(culprit->cause)), count_text(culprit->count),
                     duration_text(culprit->total), duration_text(culprit->longest),
                     share_text(culprit->total, tally.stalled()), object_text(*culprit)});
      continue;
    }
    ++more;
    rest.count += culprit->count;
    rest.total = saturating_sum(rest.total, culprit->total);
    rest.longest = std::max(rest.longest, culprit->longest);
  }
  if (rest.count > 0) {
    const bool uncounted = tally.others().count > 0;
    table.add_row({fmt::format("… {}{} more", uncounted ? "at least " : "",
                               count_text(more + (uncounted ? 1 : 0), "culprit", "culprits")),
                   "", count_text(rest.count), duration_text(rest.total),
                   duration_text(rest.longest), share_text(rest.total, tally.stalled()), ""});
  }
  return table.empty() ? std::string() : table.render(indent);
}

std::string loop_table(std::vector<LoopSummary> loops, size_t rows, std::string_view indent) {
  if (loops.empty()) return {};
  std::stable_sort(loops.begin(), loops.end(), [](const LoopSummary& a, const LoopSummary& b) {
    return a.statistics.longest > b.statistics.longest;
  });
  using Align = TextTable::Align;
  TextTable table({{"loop"},
                   {"iterations", Align::kRight},
                   {"busy", Align::kRight},
                   {"p50", Align::kRight},
                   {"p90", Align::kRight},
                   {"p99", Align::kRight},
                   {"p99.9", Align::kRight},
                   {"longest", Align::kRight}});
  bool merged = false;
  for (size_t i = 0; i < std::min(rows, loops.size()); ++i) {
    const LoopStatistics& s = loops[i].statistics;
    merged |= loops[i].loops > 1;
    table.add_row({row_name(loops[i]), count_text(s.iterations), share_text(s.busy, s.lifetime),
                   duration_text(s.p50), duration_text(s.p90), duration_text(s.p99),
                   duration_text(s.p999), duration_text(s.longest)});
  }
  std::string text = table.render(indent);
  if (loops.size() > rows) {
    text += fmt::format("{}… and {}\n", indent,
                        count_text(loops.size() - rows, "more loop", "more loops"));
  }
  if (merged) {
    text += fmt::format(
        "{}Where a row has several loops, the percentiles are those of the worst.\n", indent);
  }
  return text;
}

std::string losses_text(const Losses& losses, std::string_view indent) {
  std::string text;
  const auto add = [&](uint64_t count, const char* one, const char* many) {
    text += count_line(indent, count, one, many);
  };
  add(losses.events, "long iteration is missing: the ring of events was full",
      "long iterations are missing: the ring of events was full");
  add(losses.threads, "thread was not watched: no free record",
      "threads were not watched: no free record");
  add(losses.processes, "process was not watched: no free record",
      "processes were not watched: no free record");
  add(losses.programs,
      "program was executed without the recorder (static, setuid, or with its environment cleared) "
      "and not watched",
      "programs were executed without the recorder (static, setuid, or with their environment "
      "cleared) and not watched");
  add(losses.corrupt, "entry of the shared segment was invalid and left out",
      "entries of the shared segment were invalid and left out");
  add(losses.samples, "stall has no stack: none could be read in time",
      "stalls have no stack: none could be read in time");
  add(losses.lock_acquisitions,
      "acquisition of a lock found no room: a lock-order inversion may be missing",
      "acquisitions of locks found no room: lock-order inversions may be missing");
  add(losses.lock_programs,
      "program was forgotten, as too many ran at once: lock-order inversions of it may be missing",
      "programs were forgotten, as too many ran at once: lock-order inversions of them may be "
      "missing");
  add(losses.lock_stacks, "acquisition of a lock has no stack, only its place",
      "acquisitions of locks have no stack, only their place");
  add(losses.lock_waits, "wait for a lock found no room and is missing from the table of locks",
      "waits for locks found no room and are missing from the table of locks");
  return text;
}

std::string suppressed_text(uint64_t stalls, Nanoseconds total) {
  return fmt::format("{}, {} in all, suppressed\n",
                     count_text(stalls, "known stall", "known stalls"), duration_text(total));
}

std::string pause_text(Nanoseconds longest, std::string_view indent) {
  if (longest <= Nanoseconds::zero()) return {};
  // It gives up at the limit, and measures itself a moment later.
  constexpr Nanoseconds kMoment = std::chrono::microseconds(20);
  const bool exceeded = longest > kPauseLimit + kMoment;
  return fmt::format("{}longest pause of a thread: {}{}\n", indent, duration_text(longest),
                     exceeded ? fmt::format(" (limit {}; the machine took its CPU away)",
                                            duration_text(kPauseLimit))
                              : std::string());
}

std::string suppressions_text(const SessionEnd& end) {
  const auto row = [](const SuppressionUse& use) {
    return fmt::format("  {}:{}: {}", escape_for_terminal(use.file, kFileColumns, Cut::kBeginning),
                       use.line, escape_for_terminal(use.rule, kRuleColumns));
  };
  std::string used;
  std::string unused;
  size_t used_rules = 0;
  size_t unused_rules = 0;
  for (const SuppressionUse& use : end.suppressions) {
    if (use.matches == 0) {
      if (++unused_rules <= kSessionRows) unused += row(use) + "\n";
    } else if (++used_rules <= kSessionRows) {
      used += fmt::format("{}: {}\n", row(use), count_text(use.matches, "stall", "stalls"));
    }
  }
  const auto more = [](size_t rules) {
    if (rules <= kSessionRows) return std::string();
    return fmt::format("  … and {}\n", count_text(rules - kSessionRows, "more rule", "more rules"));
  };
  std::string text;
  if (end.counts[RecordKind::kStall].suppressed > 0) {
    text = "tailback: " +
           suppressed_text(end.counts[RecordKind::kStall].suppressed, end.suppressed_time) + used +
           more(used_rules);
  }
  if (unused_rules > 0) {
    text += fmt::format("tailback: {} matched nothing\n",
                        count_text(unused_rules, "suppression", "suppressions")) +
            unused + more(unused_rules);
  }
  return text;
}

std::string status_text(const SessionStatus& status) {
  std::string text =
      fmt::format("tailback: so far, in {}: {}", duration_text(status.duration),
                  status.stalls == 0
                      ? std::string("no stall")
                      : fmt::format("{}, {} in all", count_text(status.stalls, "stall", "stalls"),
                                    duration_text(status.stalled)));
  text += fmt::format("; {}, {}\n", count_text(status.processes, "process", "processes"),
                      count_text(status.threads, "thread", "threads"));
  if (status.loops.empty()) return text + "  no event loop was seen\n";
  return text + loop_table(rows_of(status.loops), kSessionRows, "  ");
}

std::string unused_options_text(const SessionEnd& end) {
  std::string text;
  for (const std::string& option : end.unused_options) {
    const bool is_loop = option.starts_with("--loop ");
    text += fmt::format("tailback: {} matched no thread that {}\n",
                        escape_for_terminal(option, kRuleColumns),
                        is_loop ? "completed an iteration" : "waits for events");
  }
  return text;
}

std::string session_end_text(const SessionEnd& end, const CulpritTally& tally,
                             Nanoseconds threshold) {
  const std::string over =
      threshold > Nanoseconds::zero() ? " over " + duration_text(threshold) : "";
  std::string text;
  if (tally.stalls() == 0) {
    if (end.loops.empty()) {
      text = fmt::format("tailback: no event loop was seen in {} ({}, {})\n",
                         duration_text(end.duration),
                         count_text(end.processes, "process", "processes"),
                         count_text(end.threads, "thread", "threads"));
    } else {
      uint64_t iterations = 0;
      Nanoseconds longest{};
      for (const LoopStatistics& loop : end.loops) {
        iterations += loop.iterations;
        longest = std::max(longest, loop.longest);
      }
      text = fmt::format("tailback: no {}stall{} in {}; {}, {}, the longest {}\n",
                         end.counts[RecordKind::kStall].suppressed > 0 ? "other " : "", over,
                         duration_text(end.duration), count_text(end.loops.size(), "loop", "loops"),
                         count_text(iterations, "iteration", "iterations"), duration_text(longest));
    }
  } else {
    text = fmt::format("tailback: {}{}, {} in all, in {}\n",
                       count_text(tally.stalls(), "stall", "stalls"), over,
                       duration_text(tally.stalled()), duration_text(end.duration));
    text += culprit_table(tally, kSessionRows, "  ");
    text += loop_table(rows_of(end.loops), kSessionRows, "  ");
  }
  if (tally.stalls() > 0 || end.longest_pause > kPauseLimit)
    text += pause_text(end.longest_pause, "  ");
  text = suppressions_text(end) + unused_options_text(end) + text;
  if (end.losses.any()) text += "tailback: incomplete:\n" + losses_text(end.losses, "  ");
  return text;
}

}  // namespace tailback
