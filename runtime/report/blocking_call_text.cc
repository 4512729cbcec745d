#include "runtime/report/blocking_call_text.h"

#include <spdlog/fmt/fmt.h>

#include "runtime/report/duration_text.h"
#include "runtime/report/stall_text.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/report/text_table.h"

namespace tailback {
namespace {

constexpr size_t kCulpritColumns = 60;
constexpr size_t kObjectColumns = 40;

std::string_view kind_text(BlockingCallKind kind) {
  return kind == BlockingCallKind::kWaited ? "waited" : "may block";
}

}  // namespace

std::string full_blocking_call_text(const BlockingCall& blocking_call, const TextStyle& style) {
  const std::string how =
      blocking_call.kind == BlockingCallKind::kWaited
          ? fmt::format("waited for {}", duration_text(blocking_call.longest.duration))
          : fmt::format("may block (took {})", duration_text(blocking_call.longest.duration));
  return style.headline(fmt::format("tailback: blocking call, {}: {}", how,
                                    what_text(blocking_call.longest))) +
         "\n" + stall_details(blocking_call.longest, style);
}

std::string blocking_calls_text(const BlockingCallTally& tally, const Counts& counts, size_t rows) {
  std::string text;
  if (!tally.empty()) {
    text = fmt::format("tailback: {} on loop threads: {}, {} in all\n",
                       count_text(tally.culprits(), "blocking call", "blocking calls"),
                       count_text(tally.calls(), "call", "calls"), duration_text(tally.total()));
    using Align = TextTable::Align;
    TextTable table({{"blocking call"},
                     {"how"},
                     {"cause"},
                     {"count", Align::kRight},
                     {"total", Align::kRight},
                     {"longest", Align::kRight},
                     {"call"},
                     {"object"}});
    const auto sorted = tally.by_total();
    for (size_t i = 0; i < std::min(rows, sorted.size()); ++i) {
      const BlockingCall& blocking_call = *sorted[i];
      const Stall& longest = blocking_call.longest;
      table.add_row(
          {culprit_text(longest, kCulpritColumns), std::string(kind_text(blocking_call.kind)),
           std::string(word(longest.cause)), count_text(blocking_call.count),
           duration_text(blocking_call.total), duration_text(longest.duration),
           longest.call ? escape_for_terminal(longest.call->function, kObjectColumns) : "",
           longest.call ? escape_for_terminal(longest.call->object, kObjectColumns) : ""});
    }
    text += table.render("  ");
    if (sorted.size() > rows) {
      text += fmt::format("  … and {} more\n", count_text(sorted.size() - rows));
    }
  }
  if (counts.suppressed > 0) {
    text += fmt::format("tailback: {} of known blocking calls suppressed\n",
                        count_text(counts.suppressed, "call", "calls"));
  }
  if (counts.lost > 0) {
    text += fmt::format(
        "tailback: {} on loop threads took as long, but {} not seen to wait: without a CPU, or too "
        "short to be sampled\n",
        count_text(counts.lost, "call", "calls"), counts.lost == 1 ? "was" : "were");
  }
  return text;
}

}  // namespace tailback
