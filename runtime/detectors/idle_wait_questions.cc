#include "runtime/detectors/idle_wait_questions.h"

#include "runtime/loops/idle_waits.h"

namespace tailback {

void IdleWaitQuestions::ask(const WatchedThread& thread, const CallView& call,
                            uint64_t iteration_begin) {
  constexpr unsigned kMostAsked = 3;
  constexpr size_t kMostPlaces = 16;
  Asked& asked = asked_.of(thread);
  const LoopSharing sharing = sharing_of(segment_, *thread.record, iteration_begin);
  const auto place = std::make_tuple(call.call_site, call.context.stack_pointer, sharing);
  if (asked.places.size() >= kMostPlaces && !asked.places.contains(place)) return;
  if (++asked.places[place] > kMostAsked) return;
  IdleWaitSeen seen;
  seen.sample = builder_.sample(thread);
  if (!seen.sample->snapshot || !seen.sample->recorded.same_call(call)) return;
  seen.pid = thread.pid;
  seen.sharing = sharing;
  seen.place = {thread.index, thread.generation, call.call_site, call.context.stack_pointer};
  emit_(std::move(seen));
}

void IdleWaitQuestions::on_verdict(const IdleWaitPlace& place) {
  add_idle_wait(segment_.threads[place.record], place.generation, place.call_site,
                place.stack_pointer);
}

}  // namespace tailback
