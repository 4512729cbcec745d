// Where a loop waits for its events, and what is found out of an iteration whose loop was over.
// Plain values.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/segment/record_view.h"
#include "runtime/values/stall.h"

namespace tailback {

// Where a thread waits for the events of a loop, and how many turns it has completed there.
struct LoopWait {
  uint64_t key = 0;
  uint64_t call_site = 0;
  uint64_t stack_pointer = 0;
  uint64_t iterations = 0;

  bool is_at_same_depth(const LoopWait& other) const {
    return key == other.key && call_site == other.call_site && stack_pointer == other.stack_pointer;
  }
};

inline LoopWait loop_wait_of(const SiteView& site) {
  return {site.key, site.call_site, site.stack_pointer, site.iterations};
}

// What is found out of an iteration whose loop was over before it ended. Safe from any thread.
struct LoopEnd {
  // The iteration's age at which the loop was over, at the latest.
  std::atomic<Nanoseconds> since{Nanoseconds::max()};
  std::atomic<bool> leaves_no_stall{false};  // what lies before is short
};

}  // namespace tailback
