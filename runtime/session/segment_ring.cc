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
    // Nothing, or a producer between claiming the slot and filling it.
    const uint64_t head = segment_.header.ring_head.load(std::memory_order_acquire);
    if (head < tail_ || head - tail_ > contract::kRingCapacity) {
      repair_head(head);
      return std::nullopt;
    }
    if (head == tail_) {
      if (mark != free_mark) repair_mark(slot, mark, free_mark);
      return std::nullopt;
    }
    if (++waited_ < kPatience) return std::nullopt;
    waited_ = 0;
    ++stepped_over_;
    advance(slot, index);
  }
}

// A head beyond any sense is a target's doing. It is not followed but put right, as nobody else in
// the session could add an event any more.
void SegmentRing::repair_head(uint64_t head) {
  if (segment_.header.ring_head.compare_exchange_strong(head, tail_)) ++stepped_over_;
}

// No producer can have claimed this slot, since it is not marked as free: one that was stepped over
// has come back and put its own mark there. Left alone, the slot would look taken for ever.
void SegmentRing::repair_mark(contract::RingSlot& slot, uint64_t mark, uint64_t free_mark) {
  if (slot.sequence.compare_exchange_strong(mark, free_mark)) ++stepped_over_;
}

void SegmentRing::advance(contract::RingSlot& slot, uint64_t index) {
  slot.sequence.store(tail_ - index + contract::kRingCapacity, std::memory_order_release);
  ++tail_;
  segment_.header.ring_tail.store(tail_, std::memory_order_relaxed);
}

}  // namespace tailback
