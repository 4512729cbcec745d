// The producers' end of a ring of the segment's.
#pragma once

#include <stddef.h>

#include "instrument/contract/record_contract.h"

namespace tailback {

// Copies the event into the ring; `head` is the next position of the producers. False: the ring is
// full, or other producers were always faster. Safe in signal handlers.
template <typename Slot, size_t kSlots, typename Event>
inline bool put_in_ring(Slot (&ring)[kSlots], std::atomic<uint64_t>& head, const Event& event) {
  // Each failure means that another producer was faster, or that a process has written nonsense to
  // the ring: neither may block the program.
  constexpr int kMostTries = 1000;
  uint64_t position = head.load(std::memory_order_relaxed);
  for (int i = 0; i < kMostTries; ++i) {
    const uint64_t index = position & (kSlots - 1);
    Slot& slot = ring[index];
    const uint64_t free_mark = position - index;
    const uint64_t mark = slot.sequence.load(std::memory_order_acquire);
    if (mark == free_mark) {
      if (head.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
        slot.event = event;
        slot.sequence.store(free_mark + 1, std::memory_order_release);
        return true;
      }
    } else if (mark < free_mark) {
      return false;  // full
    } else {
      position = head.load(std::memory_order_relaxed);
    }
  }
  return false;
}

}  // namespace tailback
