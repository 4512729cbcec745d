// From the recorder's ticks to durations and wall time.
#pragma once

#include <cstdint>

#include "instrument/contract/record_contract.h"
#include "runtime/values/stall.h"

namespace tailback {

class TickClock {
 public:
  // The cheapest source that can be trusted on this machine.
  static contract::TickSource best_source();

  // Calibrates for about 2 ms. Accurate to 0.01 % at once, and better with every refine().
  explicit TickClock(contract::TickSource source);

  uint64_t now() const;
  // Measures the rate again over the whole time since construction. Not thread-safe.
  void refine();

  Nanoseconds duration(uint64_t ticks) const;
  uint64_t ticks(Nanoseconds duration) const;
  // Ticks in the future or before the clock's time are clamped to what is sensible.
  WallTime wall_time(uint64_t tick) const;

 private:
  contract::TickSource source_;
  uint64_t first_tick_ = 0;
  uint64_t first_monotonic_ = 0;
  WallTime first_wall_;
  double nanoseconds_per_tick_ = 1.0;
};

}  // namespace tailback
