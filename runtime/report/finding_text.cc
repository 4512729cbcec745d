#include "runtime/report/finding_text.h"

#include <spdlog/fmt/fmt.h>

#include "runtime/report/deadlock_text.h"
#include "runtime/report/duration_text.h"
#include "runtime/report/lock_order_text.h"
#include "runtime/report/never_awaited_text.h"
#include "runtime/report/race_text.h"

namespace tailback {
namespace {

std::string headline(const Deadlock& deadlock) {
  return deadlock_headline(deadlock);
}
std::string headline(const LockOrder& order) {
  return "lock-order inversion: " + lock_order_what(order);
}
std::string headline(const Race& race) {
  return race_headline(race);
}
std::string headline(const NeverAwaited& never_awaited) {
  return never_awaited_headline(never_awaited);
}

std::string full_text(const Deadlock& deadlock, const TextStyle& style) {
  return full_deadlock_text(deadlock, style);
}
std::string full_text(const LockOrder& order, const TextStyle& style) {
  return full_lock_order_text(order, style);
}
std::string full_text(const Race& race, const TextStyle& style) {
  return full_race_text(race, style);
}
std::string full_text(const NeverAwaited& never_awaited, const TextStyle& style) {
  return full_never_awaited_text(never_awaited, style);
}

// Why findings of a kind were lost.
std::string_view lost_reason(RecordKind kind) {
  switch (kind) {
    case RecordKind::kLockOrder:
      return "address reused";
    case RecordKind::kNeverAwaited:
      return "the coroutine's maker could not be read in time";
    case RecordKind::kBlockingCall:
      return "not seen to wait: without a CPU, or too short to be sampled";
    default:
      return "no room for them";
  }
}

}  // namespace

std::string finding_headline(const Record& record) {
  return std::visit(
      [](const auto& value) -> std::string {
        if constexpr (requires { headline(value); }) return headline(value);
        return {};
      },
      record);
}

std::string full_finding_text(const Record& record, const TextStyle& style) {
  return std::visit(
      [&](const auto& value) -> std::string {
        if constexpr (requires { full_text(value, style); }) return full_text(value, style);
        return {};
      },
      record);
}

std::string counts_text(RecordKind kind, const Counts& counts) {
  if (!counts.any()) return {};
  const RecordKindRow& row = row_of(kind);
  std::string text = counts.reported == 0
                         ? fmt::format("tailback: no {}", row.one)
                         : fmt::format("tailback: {} {}", count_text(counts.reported),
                                       counts.reported == 1 ? row.one : row.many);
  if (counts.repeated > 0) {
    text += fmt::format(", {} more like {}", count_text(counts.repeated),
                        counts.reported == 1 ? "it" : "these");
  }
  if (counts.suppressed > 0) text += fmt::format(", {} suppressed", count_text(counts.suppressed));
  if (counts.lost > 0) {
    text += fmt::format(", {} not reported ({})", count_text(counts.lost), lost_reason(kind));
  }
  return text + "\n";
}

}  // namespace tailback
