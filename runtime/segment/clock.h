// From the recorder's ticks to durations and wall time: an interface, so that a detector runs over
// a recording in a test as it runs beside a program.
#pragma once

#include <cstdint>

#include "runtime/values/stall.h"

namespace tailback {

class Clock {
 public:
  virtual ~Clock() = default;

  virtual uint64_t now() const = 0;
  // Measures the rate again. Not thread-safe.
  virtual void refine() = 0;

  virtual Nanoseconds duration(uint64_t ticks) const = 0;
  virtual uint64_t ticks(Nanoseconds duration) const = 0;
  // Ticks in the future or before the clock's time are clamped to what is sensible.
  virtual WallTime wall_time(uint64_t tick) const = 0;
};

}  // namespace tailback
