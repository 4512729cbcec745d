// How long a lock was waited for and held. A plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/values/frame.h"
#include "runtime/values/lock_order.h"
#include "runtime/values/stall.h"

namespace tailback {

// The waits of one call site.
struct ContentionPlace {
  Frame frame;
  uint64_t waits = 0;
  Nanoseconds total{};
  Nanoseconds longest{};
};

// A stack that threads were seen with, waiting for the lock or holding it.
struct ContentionStack {
  std::vector<Frame> stack;  // innermost first
  size_t culprit = 0;        // as in Stall
  bool complete = true;
  std::string call;  // of an owner: the call that it was blocked in; empty if unknown
  uint64_t samples = 0;
  Nanoseconds weight{};  // the time of waits that the samples stand for
};

struct Contention {
  int pid = 0;
  std::string process;
  OrderedLock lock;  // its kind: also "semaphore"
  uint64_t waits = 0;
  Nanoseconds total{};
  Nanoseconds longest{};
  bool hold_known = false;
  bool hold_is_part = false;  // it lasted at least as long
  Nanoseconds longest_hold{};
  std::vector<ContentionPlace> places;   // most time first
  std::vector<ContentionStack> waiters;  // heaviest first
  std::vector<ContentionStack> owners;   // the same, while they were waited for
};

}  // namespace tailback
