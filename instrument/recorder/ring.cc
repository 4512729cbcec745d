#include "instrument/recorder/ring.h"

#include "instrument/recorder/thread_state.h"

namespace tailback {

namespace {

// Each failure means that another producer was faster, or that somebody has written nonsense to the
// ring: the program is not to be held up by either.
constexpr int kMostTries = 1000;

}  // namespace

void push_event(const contract::Event& event) {
  contract::Header& header = segment->header;
  uint64_t position = header.ring_head.load(std::memory_order_relaxed);
  for (int i = 0; i < kMostTries; ++i) {
    const uint64_t index = position & (contract::kRingCapacity - 1);
    contract::RingSlot& slot = segment->ring[index];
    const uint64_t free_mark = position - index;
    const uint64_t mark = slot.sequence.load(std::memory_order_acquire);
    if (mark == free_mark) {
      if (header.ring_head.compare_exchange_weak(position, position + 1,
                                                 std::memory_order_relaxed)) {
        slot.event = event;
        slot.sequence.store(free_mark + 1, std::memory_order_release);
        return;
      }
    } else if (mark < free_mark) {
      break;  // full
    } else {
      position = header.ring_head.load(std::memory_order_relaxed);
    }
  }
  header.ring_dropped.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace tailback
