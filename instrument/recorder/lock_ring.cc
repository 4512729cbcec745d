#include "instrument/recorder/lock_ring.h"

#include "instrument/recorder/thread_state.h"

namespace tailback {

namespace {

// As in ring.cc.
constexpr int kMostTries = 1000;

}  // namespace

bool lock_ring_has_room() {
  const contract::Header& header = segment->header;
  const uint64_t head = header.lock_ring_head.load(std::memory_order_relaxed);
  const uint64_t tail = header.lock_ring_tail.load(std::memory_order_relaxed);
  return head - tail < contract::kLockRingCapacity;
}

void count_lock_event_dropped() {
  segment->header.lock_ring_dropped.fetch_add(1, std::memory_order_relaxed);
}

bool push_lock_event(const contract::LockEvent& event) {
  contract::Header& header = segment->header;
  uint64_t position = header.lock_ring_head.load(std::memory_order_relaxed);
  for (int i = 0; i < kMostTries; ++i) {
    const uint64_t index = position & (contract::kLockRingCapacity - 1);
    contract::LockSlot& slot = segment->lock_ring[index];
    const uint64_t free_mark = position - index;
    const uint64_t mark = slot.sequence.load(std::memory_order_acquire);
    if (mark == free_mark) {
      if (header.lock_ring_head.compare_exchange_weak(position, position + 1,
                                                      std::memory_order_relaxed)) {
        slot.event = event;
        slot.sequence.store(free_mark + 1, std::memory_order_release);
        return true;
      }
    } else if (mark < free_mark) {
      break;  // full
    } else {
      position = header.lock_ring_head.load(std::memory_order_relaxed);
    }
  }
  count_lock_event_dropped();
  return false;
}

}  // namespace tailback
