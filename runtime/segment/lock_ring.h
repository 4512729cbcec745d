// The consumer's end of the segment's ring of locks.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "instrument/contract/record_contract.h"
#include "runtime/segment/ring_consumer.h"

namespace tailback {

class LockRing {
 public:
  explicit LockRing(contract::Segment& mapped)
      : consumer_(mapped.lock_ring, mapped.header.lock_ring_head),
        tail_(mapped.header.lock_ring_tail) {}

  // As RingConsumer's. Recorders learn that an event has been dealt with at the next call.
  std::optional<contract::LockEvent> next();
  uint64_t stepped_over() const { return consumer_.stepped_over(); }

 private:
  RingConsumer<contract::LockSlot> consumer_;
  std::atomic<uint64_t>& tail_;
};

}  // namespace tailback
