#include "runtime/segment/tick_clock.h"

#include <cpuid.h>
#include <time.h>
#include <x86intrin.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace tailback {

namespace {

uint64_t monotonic_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

contract::TickSource TickClock::best_source() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned kInvariantTsc = 1u << 8;  // AMD64 APM vol. 3, Fn8000_0007_EDX
  if (__get_cpuid(0x80000007, &a, &b, &c, &d) && (d & kInvariantTsc)) {
    return contract::TickSource::kTsc;
  }
  return contract::TickSource::kMonotonic;
}

TickClock::TickClock(contract::TickSource source) : source_(source) {
  // The closest of several pairs: a preemption between the two reads would spoil the rate.
  uint64_t closest = UINT64_MAX;
  for (int i = 0; i < 8; ++i) {
    const uint64_t before = now();
    const uint64_t monotonic = monotonic_nanoseconds();
    const uint64_t after = now();
    if (after - before < closest) {
      closest = after - before;
      first_tick_ = before + (after - before) / 2;
      first_monotonic_ = monotonic;
      first_wall_ = std::chrono::system_clock::now();
    }
  }
  if (source_ == contract::TickSource::kTsc) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    refine();
  }
}

uint64_t TickClock::now() const {
  return source_ == contract::TickSource::kTsc ? __rdtsc() : monotonic_nanoseconds();
}

void TickClock::refine() {
  if (source_ != contract::TickSource::kTsc) return;
  uint64_t closest = UINT64_MAX;
  uint64_t tick = 0;
  uint64_t monotonic = 0;
  for (int i = 0; i < 4; ++i) {
    const uint64_t before = now();
    const uint64_t read = monotonic_nanoseconds();
    const uint64_t after = now();
    if (after - before < closest) {
      closest = after - before;
      tick = before + (after - before) / 2;
      monotonic = read;
    }
  }
  if (tick > first_tick_ && monotonic > first_monotonic_) {
    nanoseconds_per_tick_ =
        static_cast<double>(monotonic - first_monotonic_) / static_cast<double>(tick - first_tick_);
  }
}

Nanoseconds TickClock::duration(uint64_t ticks) const {
  constexpr double kLongest = 9e18;
  return Nanoseconds(
      static_cast<int64_t>(std::min(static_cast<double>(ticks) * nanoseconds_per_tick_, kLongest)));
}

uint64_t TickClock::ticks(Nanoseconds duration) const {
  constexpr double kMost = 1.8e19;  // a little less than an uint64_t holds
  const double count = static_cast<double>(std::max<int64_t>(duration.count(), 0));
  return static_cast<uint64_t>(std::min(count / nanoseconds_per_tick_, kMost));
}

WallTime TickClock::wall_time(uint64_t tick) const {
  const uint64_t clamped = std::min(tick, now());
  const Nanoseconds since_first =
      clamped >= first_tick_ ? duration(clamped - first_tick_) : -duration(first_tick_ - clamped);
  return first_wall_ + std::chrono::duration_cast<WallTime::duration>(since_first);
}

}  // namespace tailback
