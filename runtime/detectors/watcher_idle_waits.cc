// The watcher's part that finds out where the workers of a pool wait for work, and what analysis
// answers.
#include <utility>

#include "runtime/detectors/watcher.h"
#include "runtime/loops/idle_waits.h"

namespace tailback {

void Watcher::ask_about_idle_wait(contract::ThreadRecord& record, WatchedThread& thread,
                                  const CallView& call) {
  constexpr unsigned kMostAsked = 3;
  constexpr size_t kMostPlaces = 16;
  const auto place = std::make_pair(call.call_site, call.context.stack_pointer);
  if (thread.idle_waits_asked.size() >= kMostPlaces && !thread.idle_waits_asked.contains(place))
    return;
  if (++thread.idle_waits_asked[place] > kMostAsked) return;
  IdleWaitSeen seen;
  seen.sample = sample(record, thread);
  if (!seen.sample->snapshot || !seen.sample->recorded.same_call(call)) return;
  seen.pid = thread.pid;
  seen.shares_loop = thread.shares_loop = shares_loop(segment_, record);
  seen.place = {thread.index, thread.generation, call.call_site, call.context.stack_pointer};
  emit_(std::move(seen));
}

void Watcher::read_verdicts() {
  for (const Verdict& verdict : verdicts_.take()) {
    std::visit([this](const auto& one) { heed(one); }, verdict);
  }
}

void Watcher::heed(const IdleWaitPlace& place) {
  add_idle_wait(segment_.threads[place.record], place.generation, place.call_site,
                place.stack_pointer);
}

void Watcher::heed(const NoStall& verdict) {
  const auto thread = threads_.find(verdict.iteration.record);
  if (thread == threads_.end() || thread->second.generation != verdict.iteration.generation) return;
  for (auto& iteration : thread->second.iterations) {
    if (iteration && iteration->key() == verdict.iteration.key &&
        iteration->begin_tick() == verdict.iteration.begin_tick) {
      iteration->is_no_stall = true;
    }
  }
}

}  // namespace tailback
