// The tables and lines that sum a session, or several, up for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/report/culprit_tally.h"
#include "runtime/values/session.h"

namespace tailback {

// A row of the table of loops.
struct LoopSummary {
  LoopStatistics statistics;
  // Loops that were put together in this row. With more than one, iterations and times are sums,
  // the percentiles those of the worst of them, and pid and tid 0.
  uint64_t loops = 1;
};

// Per culprit: cause, count, total, longest, share of all stalled time. Most total time first, the
// rest beyond `rows` in one line. Every line begins with `indent`.
std::string culprit_table(const CulpritTally& tally, size_t rows, std::string_view indent);

// Per loop: iterations, busy share, percentiles and longest iteration. Longest iteration first.
std::string loop_table(std::vector<LoopSummary> loops, size_t rows, std::string_view indent);

// What was lost, one line per kind, each beginning with `indent`; empty if nothing was.
std::string losses_text(const Losses& losses, std::string_view indent);

// "3 known stalls, 1.2 s in all, suppressed" and a newline.
std::string suppressed_text(uint64_t stalls, Nanoseconds total);

// How long a thread was paused at most, as a line that begins with `indent`; empty if none was.
std::string pause_text(Nanoseconds longest, std::string_view indent);

// What rules suppressed, and which of them matched nothing; empty without rules.
std::string suppressions_text(const SessionEnd& end);

// What the text report says when it is asked while the session goes on.
std::string status_text(const SessionStatus& status);

// What the text report says at the end of a session: one line if there was no stall.
std::string session_end_text(const SessionEnd& end, const CulpritTally& tally,
                             Nanoseconds threshold);

}  // namespace tailback
