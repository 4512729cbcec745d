#include "runtime/report/contention_text.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "runtime/report/duration_text.h"
#include "runtime/report/stack_text.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/report/text_table.h"

namespace tailback {
namespace {

constexpr size_t kNameColumns = 60;
constexpr size_t kCallColumns = 32;

std::string name_text(const OrderedLock& lock) {
  if (!lock.name.empty()) return escape_for_terminal(lock.name, kNameColumns);
  const Frame& origin = lock.initialised;
  if (origin.function.empty() && origin.module.empty()) return fmt::format("{:#x}", lock.address);
  return fmt::format("{:#x} of {}", lock.address, frame_text(origin, kNameColumns));
}

std::string hold_text(const Contention& lock) {
  if (!lock.hold_known) return "unknown";
  return (lock.hold_is_part ? "≥ " : "") + duration_text(lock.longest_hold);
}

std::string culprit_text(const ContentionStack& seen) {
  if (seen.culprit < seen.stack.size()) {
    return frame_text(seen.stack[seen.culprit], kNameColumns);
  }
  return seen.stack.empty() ? "" : frame_text(seen.stack.front(), kNameColumns);
}

// The function of the program that waited longest, else, of waits that were too short to be looked
// at, the one that made the call.
std::string waiter_text(const Contention& lock) {
  if (!lock.waiters.empty()) return culprit_text(lock.waiters.front());
  return lock.places.empty() ? "" : frame_text(lock.places.front().frame, kNameColumns);
}

// The function of the program that the owner was in, and the call that it was blocked in itself.
std::string owner_text(const Contention& lock) {
  if (lock.owners.empty()) return "";
  const ContentionStack& owner = lock.owners.front();
  std::string text = culprit_text(owner);
  if (!owner.call.empty())
    text += fmt::format(", in {}", escape_for_terminal(owner.call, kCallColumns));
  return text;
}

}  // namespace

std::string contentions_text(const std::vector<Contention>& locks, uint64_t all, size_t rows) {
  std::string text;
  all = std::max<uint64_t>(all, locks.size());
  if (!locks.empty()) {
    uint64_t waits = 0;
    Nanoseconds total{};
    for (const Contention& lock : locks) {
      waits = saturating_sum(waits, lock.waits);
      total = saturating_sum(total, lock.total);
    }
    // Beyond a number they are counted only.
    const std::string which =
        all > locks.size() ? fmt::format("; of the first {}", count_text(locks.size())) : "";
    text =
        fmt::format("{} waited for{}: {}, {} in all\n", count_text(all, "lock was", "locks were"),
                    which, count_text(waits, "wait", "waits"), duration_text(total));
    using Align = TextTable::Align;
    TextTable table({{"lock"},
                     {"kind"},
                     {"waits", Align::kRight},
                     {"total", Align::kRight},
                     {"longest", Align::kRight},
                     {"longest hold", Align::kRight},
                     {"waited for in"},
                     {"owner in"}});
    for (size_t i = 0; i < std::min(rows, locks.size()); ++i) {
      const Contention& lock = locks[i];
      table.add_row({name_text(lock.lock), escape_for_terminal(lock.lock.kind, 16),
                     count_text(lock.waits), duration_text(lock.total), duration_text(lock.longest),
                     hold_text(lock), waiter_text(lock), owner_text(lock)});
    }
    text += table.render("  ");
    if (all > rows) text += fmt::format("  … and {} more\n", count_text(all - rows));
  }
  return text;
}

}  // namespace tailback
