// The consumer's end of the segment's ring of events.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "instrument/contract/record_contract.h"
#include "runtime/segment/ring_consumer.h"

namespace tailback {

class SegmentRing {
 public:
  explicit SegmentRing(contract::Segment& mapped)
      : consumer_(mapped.ring, mapped.header.ring_head), tail_(mapped.header.ring_tail) {}

  // As RingConsumer's.
  std::optional<contract::Event> next();
  uint64_t stepped_over() const { return consumer_.stepped_over(); }

  static constexpr unsigned kPatience = RingConsumer<contract::RingSlot>::kPatience;

 private:
  RingConsumer<contract::RingSlot> consumer_;
  std::atomic<uint64_t>& tail_;
};

}  // namespace tailback
