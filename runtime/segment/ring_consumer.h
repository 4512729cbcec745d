// The consumer's end of a ring of the segment's. Targets write to it, so nothing in it is believed.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "instrument/contract/record_contract.h"

namespace tailback {

// `Slot`: contract::RingSlot, contract::LockSlot.
template <typename Slot>
class RingConsumer {
 public:
  using Event = decltype(Slot::event);

  // A power of two of slots, and where producers keep the position that they fill next.
  RingConsumer(std::span<Slot> slots, std::atomic<uint64_t>& head) : slots_(slots), head_(head) {}

  // The next event, or nothing if there is none yet. An event that a producer has begun and not
  // finished within `kPatience` calls of next() (it was killed) is stepped over and counted. So is
  // what was lost to marks that make no sense, which are put right.
  std::optional<Event> next();

  // The position of the event that is read next.
  uint64_t tail() const { return tail_; }
  uint64_t stepped_over() const { return stepped_over_; }

  static constexpr unsigned kPatience = 100;

 private:
  // A head beyond any sense is a target's doing. It is not followed but put right, as nobody else
  // in the session could add an event any more.
  void repair_head(uint64_t head) {
    if (head_.compare_exchange_strong(head, tail_)) ++stepped_over_;
  }
  // No producer can have claimed this slot, since it is not marked as free: one that was stepped
  // over has come back and put its own mark there. Left alone, the slot would look taken for ever.
  void repair_mark(Slot& slot, uint64_t mark, uint64_t free_mark) {
    if (slot.sequence.compare_exchange_strong(mark, free_mark)) ++stepped_over_;
  }
  void advance(Slot& slot, uint64_t free_mark) {
    slot.sequence.store(free_mark + slots_.size(), std::memory_order_release);
    ++tail_;
    waited_ = 0;
  }

  std::span<Slot> slots_;
  std::atomic<uint64_t>& head_;
  uint64_t tail_ = 0;
  unsigned waited_ = 0;
  uint64_t stepped_over_ = 0;
};

template <typename Slot>
std::optional<typename RingConsumer<Slot>::Event> RingConsumer<Slot>::next() {
  for (;;) {
    const uint64_t index = tail_ & (slots_.size() - 1);
    Slot& slot = slots_[index];
    const uint64_t free_mark = tail_ - index;
    const uint64_t mark = slot.sequence.load(std::memory_order_acquire);
    if (mark == free_mark + 1) {
      const Event event = slot.event;
      advance(slot, free_mark);
      return event;
    }
    // Nothing, or a producer between claiming the slot and filling it.
    const uint64_t head = head_.load(std::memory_order_acquire);
    if (head < tail_ || head - tail_ > slots_.size()) {
      repair_head(head);
      return std::nullopt;
    }
    if (head == tail_) {
      if (mark != free_mark) repair_mark(slot, mark, free_mark);
      return std::nullopt;
    }
    if (++waited_ < kPatience) return std::nullopt;
    ++stepped_over_;
    advance(slot, free_mark);
  }
}

}  // namespace tailback
