#include "runtime/segment/lock_ring.h"

namespace tailback {

std::optional<contract::LockEvent> LockRing::next() {
  tail_.store(consumer_.tail(), std::memory_order_release);
  auto event = consumer_.next();
  // What was stepped over is waited for in vain.
  if (!event) tail_.store(consumer_.tail(), std::memory_order_release);
  return event;
}

}  // namespace tailback
