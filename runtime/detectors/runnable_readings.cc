#include "runtime/detectors/runnable_readings.h"

namespace tailback {

namespace {

constexpr unsigned kMostReadings = 8;  // in one poll
constexpr Nanoseconds kEvery = std::chrono::milliseconds(200);

}  // namespace

void RunnableReadings::begin_poll() {
  left_ = kMostReadings;
}

void RunnableReadings::read(const WatchedThread& thread) {
  if (left_ == 0) return;
  Reading& reading = readings_.of(thread);
  const uint64_t now = clock_.now();
  if (clock_.duration(now - reading.tick) < kEvery) return;
  --left_;
  const auto times = proc_.schedule_times(thread.pid, thread.tid);
  reading.runnable = times ? std::optional(times->runnable) : std::nullopt;
  reading.tick = now;
}

std::optional<Nanoseconds> RunnableReadings::since(const WatchedThread& thread,
                                                   uint64_t begin_tick) {
  const Reading* reading = readings_.find(thread);
  if (!reading || !reading->runnable || reading->tick > begin_tick) return std::nullopt;
  const auto times = proc_.schedule_times(thread.pid, thread.tid);
  if (!times) return std::nullopt;
  return times->runnable - *reading->runnable;
}

}  // namespace tailback
