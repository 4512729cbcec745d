#include "runtime/report/hazard_text.h"

#include <spdlog/fmt/fmt.h>

#include "runtime/report/duration_text.h"
#include "runtime/report/printable.h"
#include "runtime/report/stall_text.h"
#include "runtime/report/text_table.h"

namespace tailback {
namespace {

constexpr size_t kCulpritColumns = 60;
constexpr size_t kObjectColumns = 40;

std::string_view kind_text(HazardKind kind) {
  return kind == HazardKind::kWaited ? "waited" : "may block";
}

}  // namespace

std::string full_hazard_text(const Hazard& hazard, const TextStyle& style) {
  const std::string how =
      hazard.kind == HazardKind::kWaited
          ? fmt::format("waited for {}", duration_text(hazard.longest.duration))
          : fmt::format("may block (took {})", duration_text(hazard.longest.duration));
  return style.headline(fmt::format("tailback: hazard, {}: {}", how, what_text(hazard.longest))) +
         "\n" + stall_details(hazard.longest, style);
}

std::string hazards_text(const HazardTally& tally, const HazardCounts& counts, size_t rows) {
  std::string text;
  if (!tally.empty()) {
    text = fmt::format("tailback: {} on loop threads: {}, {} in all\n",
                       count_text(tally.culprits(), "hazard", "hazards"),
                       count_text(tally.calls(), "call", "calls"), duration_text(tally.total()));
    using Align = TextTable::Align;
    TextTable table({{"hazard"},
                     {"how"},
                     {"cause"},
                     {"count", Align::kRight},
                     {"total", Align::kRight},
                     {"longest", Align::kRight},
                     {"call"},
                     {"object"}});
    const auto sorted = tally.by_total();
    for (size_t i = 0; i < std::min(rows, sorted.size()); ++i) {
      const Hazard& hazard = *sorted[i];
      const Stall& longest = hazard.longest;
      table.add_row({culprit_text(longest, kCulpritColumns), std::string(kind_text(hazard.kind)),
                     std::string(word(longest.cause)), count_text(hazard.count),
                     duration_text(hazard.total), duration_text(longest.duration),
                     longest.call ? printable(longest.call->function, kObjectColumns) : "",
                     longest.call ? printable(longest.call->object, kObjectColumns) : ""});
    }
    text += table.render("  ");
    if (sorted.size() > rows) {
      text += fmt::format("  … and {} more\n", count_text(sorted.size() - rows));
    }
  }
  if (counts.suppressed > 0) {
    text += fmt::format("tailback: {} of known hazards suppressed\n",
                        count_text(counts.suppressed, "call", "calls"));
  }
  if (counts.unseen > 0) {
    text += fmt::format(
        "tailback: {} on loop threads took as long, but not seen to wait: without a CPU, or too "
        "short to be seen\n",
        count_text(counts.unseen, "call", "calls"));
  }
  return text;
}

}  // namespace tailback
