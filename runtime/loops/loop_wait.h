// Where a loop waits for its events, and which of its iterations is meant. Plain values.
#pragma once

#include <compare>
#include <cstdint>

#include "runtime/segment/record_view.h"

namespace tailback {

// Where a thread waits for the events of a loop, and how many iterations it has completed there.
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

// One iteration of one thread.
struct IterationId {
  uint32_t record = 0;  // the thread's
  uint32_t generation = 0;
  uint64_t key = 0;  // of the wait that began it
  uint64_t begin_tick = 0;

  auto operator<=>(const IterationId&) const = default;
};

}  // namespace tailback
