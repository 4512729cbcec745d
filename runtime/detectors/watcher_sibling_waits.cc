// One report of a stretch of time, where a thread waits at several epolls in one frame and each has
// iterations of its own.

#include <algorithm>

#include "runtime/detectors/watcher.h"

namespace tailback {

// The part of an iteration that the last report of this thread told of already, as an iteration of
// another epoll in the same frame.
Nanoseconds Watcher::already_reported(const WatchedThread& thread,
                                      const contract::Event& event) const {
  const uint64_t begin = std::max(event.begin_tick, thread.reported_begin);
  const uint64_t end = std::min(event.end_tick, thread.reported_end);
  return end > begin ? clock_.duration(end - begin) : Nanoseconds::zero();
}

// The place of another epoll, waited at within this iteration, whose iteration was reported while
// it went on.
std::optional<unsigned> Watcher::reported_elsewhere(const WatchedThread& thread,
                                                    const contract::Event& event) {
  for (unsigned place = 0; place < contract::kWaitSites; ++place) {
    const auto& iteration = thread.iterations[place];
    if (iteration && iteration->stall_id != 0 && iteration->begin_tick() > event.begin_tick &&
        iteration->begin_tick() < event.end_tick) {
      return place;
    }
  }
  return std::nullopt;
}

}  // namespace tailback
