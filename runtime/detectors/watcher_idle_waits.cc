// The watcher's part that finds out where the workers of a pool wait for work.
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
  IdleWaitObservation park;
  park.sample = sample(record, thread);
  if (!park.sample->snapshot || !park.sample->recorded.same_call(call)) return;
  park.pid = thread.pid;
  park.shares_loop = thread.shares_loop = shares_loop(segment_, record);
  park.is_idle = [&record, generation = thread.generation, call] {
    add_idle_wait(record, generation, call);
  };
  receiver_.park(std::move(park));
}

}  // namespace tailback
