// From the kernel's counters to where a turn's time went.
#pragma once

#include <cstdint>

#include "runtime/values/stall.h"

namespace tailback {

// By how much a thread's counters grew between the first look at a turn and the last.
struct CounterGrowth {
  Nanoseconds on_cpu{};
  Nanoseconds runnable{};   // counted when the wait is over: may reach back beyond the first look
  Nanoseconds throttled{};  // of its cgroups, on all CPUs
  uint64_t user_ticks = 0;
  uint64_t system_ticks = 0;
  uint64_t major_faults = 0;
};

// Shares a turn of this length out. `looked_at` is the part of the turn that lies between the
// looks; what the looks have not seen is taken to be like what they have. A last look that came
// after the turn's end may have counted more than the turn: then all shares shrink alike, and only
// then. `in_faults` is the time that samples in page faults stand for.
TimeSpent share_out(const CounterGrowth& growth, Nanoseconds looked_at, Nanoseconds in_faults,
                    Nanoseconds duration);

}  // namespace tailback
