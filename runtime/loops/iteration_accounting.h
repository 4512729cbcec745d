// From the kernel's counters to where an iteration's time went.
#pragma once

#include <cstdint>

#include "runtime/values/stall.h"

namespace tailback {

// By how much a thread's counters grew between the first look at an iteration and the last.
struct CounterGrowth {
  Nanoseconds on_cpu{};
  Nanoseconds runnable{};   // counted when the wait is over: may reach back beyond the first look
  Nanoseconds throttled{};  // of its cgroups, on all CPUs
  uint64_t user_ticks = 0;
  uint64_t system_ticks = 0;
  uint64_t major_faults = 0;
};

// Shares an iteration of this length out. `looked_at` is the part of the iteration that lies
// between the looks; what the looks have not seen is taken to be like what they have. A last look
// that came after the iteration's end may have counted more than the iteration: then all shares
// shrink alike, and only then. `in_faults` is the time that samples in page faults stand for.
TimeSpent share_out(const CounterGrowth& growth, Nanoseconds looked_at, Nanoseconds in_faults,
                    Nanoseconds duration);

}  // namespace tailback
