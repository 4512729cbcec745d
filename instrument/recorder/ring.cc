#include "instrument/recorder/ring.h"

#include "instrument/recorder/ring_producer.h"
#include "instrument/recorder/thread_state.h"

namespace tailback {

void push_event(const contract::Event& event) {
  contract::Header& header = segment->header;
  if (put_in_ring(segment->ring, header.ring_head, event)) return;
  header.ring_dropped.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace tailback
