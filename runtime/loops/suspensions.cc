#include "runtime/loops/suspensions.h"

#include <algorithm>
#include <utility>

namespace tailback {

namespace {

using std::chrono::milliseconds;

constexpr Nanoseconds kShortest = milliseconds(10);
// Iterations that began before so many suspensions lose the oldest.
constexpr size_t kRemembered = 256;

}  // namespace

Suspensions::Suspensions(std::function<std::optional<MachineClocks>()> read)
    : read_(std::move(read)) {}

std::optional<Nanoseconds> Suspensions::look(uint64_t tick, Nanoseconds ticked) {
  ticked_ += ticked;
  const auto now = read_();
  if (!now) return std::nullopt;
  const uint64_t after = std::exchange(last_tick_, tick);
  const Nanoseconds by_ticks = std::exchange(ticked_, Nanoseconds{});
  const auto last = std::exchange(last_, now);
  if (!last) return std::nullopt;
  const Nanoseconds ran = now->without_suspension - last->without_suspension;
  const Nanoseconds suspended = now->with_suspension - last->with_suspension - ran;
  if (suspended < kShortest) return std::nullopt;
  any_ = true;
  known_.push_back({after, tick, std::clamp(by_ticks - ran, Nanoseconds{}, suspended)});
  if (known_.size() > kRemembered) known_.pop_front();
  return suspended;
}

Nanoseconds Suspensions::within(uint64_t begin_tick, uint64_t end_tick) const {
  Nanoseconds total{};
  for (const Suspension& one : known_) {
    if (one.after < end_tick && one.before > begin_tick) total += one.ticked;
  }
  return total;
}

}  // namespace tailback
