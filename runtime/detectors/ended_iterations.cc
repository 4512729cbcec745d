#include "runtime/detectors/ended_iterations.h"

#include <utility>

#include "runtime/segment/record_view.h"

namespace tailback {

void EndedIterations::add(const contract::Event& event, StallSeen stall) {
  ended_.push_back({event, std::move(stall)});
}

void EndedIterations::on_pending_events(const contract::Event& event) {
  for (Ended& one : ended_) {
    if (one.event.record == event.record && one.event.generation == event.generation &&
        one.event.key == event.key && one.event.iteration == event.iteration) {
      one.stall.pending_events = event.ready;
    }
  }
}

// A thread that sits in the wait which followed found nothing ready.
bool EndedIterations::found_nothing(const contract::Event& event) const {
  constexpr Nanoseconds kSits = std::chrono::milliseconds(2);
  const auto call = view_call(segment_.threads[event.record].call);
  return call && call->entered == event.end_tick && tracks_iterations(call->function) &&
         clock_.duration(clock_.now() - event.end_tick) > kSits;
}

void EndedIterations::settle(bool all) {
  constexpr unsigned kPatience = 3;
  std::erase_if(ended_, [&](Ended& one) {
    if (!one.stall.pending_events && found_nothing(one.event)) one.stall.pending_events = 0;
    if (!all && !one.stall.pending_events && ++one.polls < kPatience) return false;
    emit_(std::move(one.stall));
    return true;
  });
}

}  // namespace tailback
