// The watcher's part that reads where loops wait for their events.
#include <algorithm>
#include <utility>

#include "runtime/detectors/watcher.h"
#include "runtime/loops/loop_choice.h"
#include "runtime/loops/workers.h"

namespace tailback {

namespace {

// How old what is known of a loop's waits may get, and of the modules that they stand in.
constexpr Nanoseconds kLoopWaitAge = std::chrono::seconds(1);
constexpr std::chrono::milliseconds kModulesAge = std::chrono::minutes(1);

}  // namespace

void Watcher::sample_loop_wait(const contract::ThreadRecord& record, WatchedThread& thread,
                               unsigned place, const SiteView& site) {
  WatchedThread::KnownLoopWait& known = thread.homes[place];
  const LoopWait wait = loop_wait_of(site);
  const uint64_t now = clock_.now();
  // Of a wait that lasts, which may be the last one, more can be proven.
  const bool lasts = std::exchange(known.seen_iterations, wait.iterations) == wait.iterations;
  const bool is_known = known.read != 0 && known.place.is_at_same_depth(wait);
  if (is_known && (known.place.iterations == wait.iterations || refreshed_loop_waits_ != 0 ||
                   (!lasts && clock_.duration(now - known.read) < kLoopWaitAge))) {
    return;
  }
  if (loop_wait_samples_left_ == 0) return;
  if (!is_loop(site, record.wait_sites[place], threshold_ticks_) &&
      !is_said_to_be_loop(choice_of(thread, record))) {
    return;
  }
  const auto call = view_call(record.call);
  if (!call || call->call_site != site.call_site || !tracks_iterations(call->function)) return;
  --loop_wait_samples_left_;
  if (is_known) ++refreshed_loop_waits_;
  auto snapshot = sampler_.take_wait(thread.pid, thread.tid, *call, kModulesAge);
  const bool one_connection = waits_for_one_connection(proc_, sampler_, thread.pid, *call);
  const auto again = view_call(record.call);
  if (!snapshot || !again || !again->same_call(*call)) return;
  known.place = wait;
  known.read = now;
  known.one_connection = one_connection;
  emit_(LoopWaitSeen{thread.pid, thread.tid, wait, std::move(*snapshot)});
}

Nanoseconds Watcher::since_when(const Sample& found, uint64_t iteration_begin,
                                Nanoseconds age) const {
  if (found.source != Sample::Source::kRecord || found.recorded.entered < iteration_begin)
    return age;
  return std::min(age, clock_.duration(found.recorded.entered - iteration_begin));
}

}  // namespace tailback
