// The consumer's end of the segment's ring of events.
#pragma once

#include <cstdint>
#include <optional>

#include "instrument/contract/record_contract.h"

namespace tailback {

class SegmentRing {
 public:
  explicit SegmentRing(contract::Segment& mapped) : segment_(mapped) {}

  // The next event, or nothing if there is none yet. An event that a producer has begun and not
  // finished within `kPatience` calls of next() (it was killed) is stepped over and counted. So is
  // what was lost to marks that make no sense, which are put right.
  std::optional<contract::Event> next();

  uint64_t stepped_over() const { return stepped_over_; }

  static constexpr unsigned kPatience = 100;

 private:
  void repair_head(uint64_t head);
  void repair_mark(contract::RingSlot& slot, uint64_t mark, uint64_t free_mark);
  void advance(contract::RingSlot& slot, uint64_t index);

  contract::Segment& segment_;
  uint64_t tail_ = 0;
  unsigned waited_ = 0;
  uint64_t stepped_over_ = 0;
};

}  // namespace tailback
