#include "instrument/recorder/lock_ring.h"

#include "instrument/recorder/ring_producer.h"
#include "instrument/recorder/thread_state.h"

namespace tailback {

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
  if (put_in_ring(segment->lock_ring, segment->header.lock_ring_head, event)) return true;
  count_lock_event_dropped();
  return false;
}

}  // namespace tailback
