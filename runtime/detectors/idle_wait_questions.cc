#include "runtime/detectors/idle_wait_questions.h"

#include "runtime/loops/idle_waits.h"

namespace tailback {

void IdleWaitQuestions::ask(const WatchedThread& thread, const CallView& call) {
  constexpr unsigned kMostAsked = 3;
  constexpr size_t kMostPlaces = 16;
  Asked& asked = asked_.of(thread);
  const auto place = std::make_pair(call.call_site, call.context.stack_pointer);
  if (asked.places.size() >= kMostPlaces && !asked.places.contains(place)) return;
  if (++asked.places[place] > kMostAsked) return;
  IdleWaitSeen seen;
  seen.sample = builder_.sample(thread);
  if (!seen.sample->snapshot || !seen.sample->recorded.same_call(call)) return;
  seen.pid = thread.pid;
  seen.shares_loop = asked.shares_loop = tailback::shares_loop(segment_, *thread.record);
  seen.place = {thread.index, thread.generation, call.call_site, call.context.stack_pointer};
  emit_(std::move(seen));
}

void IdleWaitQuestions::on_verdict(const IdleWaitPlace& place) {
  add_idle_wait(segment_.threads[place.record], place.generation, place.call_site,
                place.stack_pointer);
}

bool IdleWaitQuestions::shares_loop(const WatchedThread& thread) {
  const Asked* asked = asked_.find(thread);
  return asked && asked->shares_loop;
}

}  // namespace tailback
