// The consumer's end of the segment's ring of locks.
#pragma once

#include <cstdint>
#include <optional>

#include "instrument/contract/record_contract.h"

namespace tailback {

class LockRing {
 public:
  explicit LockRing(contract::Segment& mapped) : segment_(mapped) {}

  // The next event, or nothing if there is none yet. What a producer has begun and not finished
  // within kPatience calls (it was killed) is stepped over and counted; so is what makes no sense.
  // Recorders learn that an event has been dealt with at the next call.
  std::optional<contract::LockEvent> next();

  uint64_t stepped_over() const { return stepped_over_; }

  static constexpr unsigned kPatience = 100;

 private:
  void advance(contract::LockSlot& slot, uint64_t index);

  contract::Segment& segment_;
  uint64_t tail_ = 0;
  unsigned waited_ = 0;
  uint64_t stepped_over_ = 0;
};

}  // namespace tailback
