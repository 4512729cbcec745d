// The machine's own ticks, as the recorder reads them.
#pragma once

#include <cstdint>

#include "instrument/contract/record_contract.h"
#include "runtime/segment/clock.h"
#include "runtime/values/stall.h"

namespace tailback {

class TickClock final : public Clock {
 public:
  // The cheapest source that can be trusted on this machine.
  static contract::TickSource best_source();

  // Calibrates for about 2 ms. Accurate to 0.01 % at once, and better with every refine().
  explicit TickClock(contract::TickSource source);

  uint64_t now() const override;
  // Measures the rate again over the whole time since construction. Not thread-safe.
  void refine() override;

  Nanoseconds duration(uint64_t ticks) const override;
  uint64_t ticks(Nanoseconds duration) const override;
  WallTime wall_time(uint64_t tick) const override;

 private:
  contract::TickSource source_;
  uint64_t first_tick_ = 0;
  uint64_t first_monotonic_ = 0;
  WallTime first_wall_;
  double nanoseconds_per_tick_ = 1.0;
};

}  // namespace tailback
