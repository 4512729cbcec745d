// The consumer's end of the segment's ring of events.
#pragma once

#include <cstdint>
#include <optional>

#include "instrument/contract/record_contract.h"

namespace tailback {

class SegmentRing {
 public:
  explicit SegmentRing(contract::Segment& segment) : segment_(segment) {}

  // The next event, or nothing if there is none yet. An event that a producer has begun and not
  // finished within `kPatience` calls of next() (it was killed) is stepped over and counted.
  std::optional<contract::Event> next();

  uint64_t stepped_over() const { return stepped_over_; }

  static constexpr unsigned kPatience = 100;

 private:
  void advance(contract::RingSlot& slot, uint64_t index);

  contract::Segment& segment_;
  uint64_t tail_ = 0;
  unsigned waited_ = 0;
  uint64_t stepped_over_ = 0;
};

}  // namespace tailback
