#include "runtime/detectors/event_reader.h"

#include "runtime/segment/record_view.h"

namespace tailback {

using contract::Event;
using contract::EventKind;

bool EventReader::makes_sense(const Event& event) const {
  if (event.record >= contract::kThreadCapacity || event.end_tick > clock_.now()) return false;
  switch (static_cast<EventKind>(event.kind)) {
    case EventKind::kIteration:
      return event.begin_tick < event.end_tick &&
             may_have_wait_site(checked_function(event.function)) &&
             segment_.threads[event.record].generation.load(std::memory_order_acquire) ==
                 event.generation;
    case EventKind::kPendingEvents:
      return may_have_wait_site(checked_function(event.function));
    case EventKind::kSlowCall:
      return event.begin_tick < event.end_tick;
  }
  return false;
}

void EventReader::read() {
  while (const auto event = ring_.next()) {
    if (!makes_sense(*event)) {
      ++corrupt_;
      continue;
    }
    for (Detector* detector : detectors_) detector->on_event(*event);
  }
}

}  // namespace tailback
