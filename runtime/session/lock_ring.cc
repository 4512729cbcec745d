#include "runtime/session/lock_ring.h"

namespace tailback {

// As SegmentRing::next().
std::optional<contract::LockEvent> LockRing::next() {
  contract::Header& header = segment_.header;
  header.lock_ring_tail.store(tail_, std::memory_order_release);
  for (;;) {
    const uint64_t index = tail_ & (contract::kLockRingCapacity - 1);
    contract::LockSlot& slot = segment_.lock_ring[index];
    const uint64_t free_mark = tail_ - index;
    const uint64_t mark = slot.sequence.load(std::memory_order_acquire);
    if (mark == free_mark + 1) {
      const contract::LockEvent event = slot.event;
      advance(slot, index);
      waited_ = 0;
      return event;
    }
    uint64_t head = header.lock_ring_head.load(std::memory_order_acquire);
    if (head < tail_ || head - tail_ > contract::kLockRingCapacity) {
      if (header.lock_ring_head.compare_exchange_strong(head, tail_)) ++stepped_over_;
      return std::nullopt;
    }
    if (head == tail_) {
      uint64_t seen = mark;
      if (mark != free_mark && slot.sequence.compare_exchange_strong(seen, free_mark)) {
        ++stepped_over_;
      }
      return std::nullopt;
    }
    if (++waited_ < kPatience) return std::nullopt;
    waited_ = 0;
    ++stepped_over_;
    advance(slot, index);
    header.lock_ring_tail.store(tail_, std::memory_order_release);
  }
}

void LockRing::advance(contract::LockSlot& slot, uint64_t index) {
  slot.sequence.store(tail_ - index + contract::kLockRingCapacity, std::memory_order_release);
  ++tail_;
}

}  // namespace tailback
