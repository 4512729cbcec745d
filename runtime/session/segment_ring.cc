#include "runtime/session/segment_ring.h"

namespace tailback {

std::optional<contract::Event> SegmentRing::next() {
  for (;;) {
    const uint64_t index = tail_ & (contract::kRingCapacity - 1);
    contract::RingSlot& slot = segment_.ring[index];
    const uint64_t free_mark = tail_ - index;
    const uint64_t mark = slot.sequence.load(std::memory_order_acquire);
    if (mark == free_mark + 1) {
      const contract::Event event = slot.event;
      advance(slot, index);
      waited_ = 0;
      return event;
    }
    // Nothing, or a producer between claiming the slot and filling it. A head beyond any sense is a
    // target's doing: it is not followed.
    const uint64_t head = segment_.header.ring_head.load(std::memory_order_acquire);
    if (head <= tail_ || head - tail_ > contract::kRingCapacity) return std::nullopt;
    if (++waited_ < kPatience) return std::nullopt;
    waited_ = 0;
    ++stepped_over_;
    advance(slot, index);
  }
}

void SegmentRing::advance(contract::RingSlot& slot, uint64_t index) {
  slot.sequence.store(tail_ - index + contract::kRingCapacity, std::memory_order_release);
  ++tail_;
  segment_.header.ring_tail.store(tail_, std::memory_order_relaxed);
}

}  // namespace tailback
