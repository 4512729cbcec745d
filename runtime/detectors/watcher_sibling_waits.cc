// One report of a stretch of time, where a thread waits at several epolls in one frame and each has
// turns of its own.

#include <algorithm>

#include "runtime/detectors/watcher.h"

namespace tailback {

// The part of a turn that the last report of this thread told of already, as a turn of another
// epoll in the same frame.
Nanoseconds Watcher::told_already(const WatchedThread& thread, const contract::Event& event) const {
  const uint64_t begin = std::max(event.begin_tick, thread.told_begin);
  const uint64_t end = std::min(event.end_tick, thread.told_end);
  return end > begin ? clock_.duration(end - begin) : Nanoseconds::zero();
}

// The place of another epoll, waited at within this turn, whose turn was reported while it went on.
std::optional<unsigned> Watcher::reported_elsewhere(const WatchedThread& thread,
                                                    const contract::Event& event) {
  for (unsigned place = 0; place < contract::kWaitSites; ++place) {
    const auto& turn = thread.turns[place];
    if (turn && turn->stall_id != 0 && turn->begin_tick() > event.begin_tick &&
        turn->begin_tick() < event.end_tick) {
      return place;
    }
  }
  return std::nullopt;
}

}  // namespace tailback
