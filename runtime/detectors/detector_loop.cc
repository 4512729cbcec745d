#include "runtime/detectors/detector_loop.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>

namespace tailback {

DetectorLoop::~DetectorLoop() {
  if (thread_.joinable()) stop();
}

void DetectorLoop::start() {
  thread_ = std::thread([this] { run(); });
}

void DetectorLoop::stop() {
  stopping_.store(true);
  thread_.join();
}

Nanoseconds DetectorLoop::shortest_interval() const {
  Nanoseconds shortest = std::chrono::seconds(1);
  for (const Scheduled& one : detectors_) shortest = std::min(shortest, one.detector->interval());
  return shortest;
}

void DetectorLoop::run() {
  // Polls should come when they are due, also on a busy machine. Both are refused to some: then
  // they come a little later.
  prctl(PR_SET_TIMERSLACK, 1000);
  setpriority(PRIO_PROCESS, 0, -10);
  while (!stopping_.load()) {
    poll();
    std::this_thread::sleep_for(shortest_interval());
  }
  finish();
}

// The next polls of those that are polled together fall together, too.
void DetectorLoop::poll() {
  const Clock& clock = input_.clock();
  // The sleep and the ticks are measured by two clocks.
  const uint64_t slack = clock.ticks(shortest_interval() / 2);
  input_.begin_poll();
  const uint64_t begin = clock.now();
  for (Scheduled& one : detectors_) {
    one.is_polled = begin + slack >= one.due;
    if (one.is_polled) guarded([&] { one.detector->poll(); });
  }
  const uint64_t end = clock.now();
  for (Scheduled& one : detectors_) {
    if (one.is_polled) one.due = end + clock.ticks(one.detector->interval());
  }
}

void DetectorLoop::finish() {
  input_.begin_poll();
  for (const Scheduled& one : detectors_) guarded([&] { one.detector->poll(); });
  for (const Scheduled& one : detectors_) guarded([&] { one.detector->finish(); });
}

}  // namespace tailback
