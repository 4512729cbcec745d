#include "runtime/segment/segment_ring.h"

namespace tailback {

std::optional<contract::Event> SegmentRing::next() {
  auto event = consumer_.next();
  tail_.store(consumer_.tail(), std::memory_order_relaxed);
  return event;
}

}  // namespace tailback
