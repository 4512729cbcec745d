// Locks that threads take in orders which can deadlock, whether they did or not. A plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/values/stall.h"

namespace tailback {

struct OrderedLock {
  uint64_t address = 0;
  std::string kind;   // "mutex", "rwlock", "spin"
  std::string name;   // the variable that covers it; empty if no symbol does
  Frame initialised;  // where it was initialised; without function and module if unknown
};

// One acquisition of the cycle: a thread took `taken` while it held `held`.
struct LockStep {
  int tid = 0;
  std::string thread;  // its comm; empty if it had ended
  size_t held = 0;     // indices into LockOrder::locks
  size_t taken = 0;
  std::string held_for;   // "mutex", "read", "write", "spin"
  std::string taken_for;  // the same
  Frame held_at;          // where the held one was taken
  std::vector<Frame>
      stack;           // of the acquisition, innermost first; its caller alone if none was taken
  size_t culprit = 0;  // as in Stall
  bool stack_complete = true;
};

// Each step takes what the next one holds, the last what the first does.
struct LockOrder {
  WallTime time;  // of the acquisition that closed the cycle
  int pid = 0;
  std::string process;
  std::vector<OrderedLock> locks;
  std::vector<LockStep> steps;
  std::string found_by;     // "ThreadSanitizer"; empty: --lock-order
  std::string advice;       // one line
  std::string fingerprint;  // equal for equal places, across runs
};

}  // namespace tailback
