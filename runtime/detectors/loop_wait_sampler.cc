#include "runtime/detectors/loop_wait_sampler.h"

#include <utility>

#include "runtime/loops/loop_choice.h"
#include "runtime/loops/loop_model.h"
#include "runtime/loops/workers.h"

namespace tailback {

namespace {

constexpr unsigned kMostSamples = 4;  // in one poll
// How old what is known of a loop's waits may get.
constexpr Nanoseconds kWaitAge = std::chrono::seconds(1);

}  // namespace

void LoopWaitSampler::begin_poll() {
  left_ = kMostSamples;
  refreshed_ = 0;
}

// Of a wait that lasts, which may be the last one, more can be proven: it is read whatever its age.
bool LoopWaitSampler::is_due(KnownWait& known, const LoopWait& wait, uint64_t now) const {
  const bool lasts = std::exchange(known.seen_iterations, wait.iterations) == wait.iterations;
  if (known.read == 0 || !known.place.is_at_same_depth(wait)) return true;
  if (known.place.iterations == wait.iterations || refreshed_ != 0) return false;
  return lasts || clock_.duration(now - known.read) >= kWaitAge;
}

void LoopWaitSampler::poll(const WatchedThread& thread, unsigned place, const SiteView& site) {
  KnownWait& known = known_.of(thread)[place];
  const LoopWait wait = loop_wait_of(site);
  const uint64_t now = clock_.now();
  if (!is_due(known, wait, now) || left_ == 0) return;
  if (!is_loop(site, thread.record->wait_sites[place], threshold_ticks_) &&
      !is_said_to_be_loop(thread.choice())) {
    return;
  }
  const auto call = view_call(thread.record->call);
  if (!call || call->call_site != site.call_site || !tracks_iterations(call->function)) return;
  sample(thread, known, wait, *call, now);
}

void LoopWaitSampler::sample(const WatchedThread& thread, KnownWait& known, const LoopWait& wait,
                             const CallView& call, uint64_t now) {
  --left_;
  if (known.read != 0 && known.place.is_at_same_depth(wait)) ++refreshed_;
  ThreadSampler& sampler = input_.sampler();
  auto snapshot = sampler.take_wait(thread.pid, thread.tid, call);
  const bool one_connection =
      tailback::waits_for_one_connection(input_.proc(), sampler, thread.pid, call);
  // An interpreter may not be known yet at the first wait.
  constexpr unsigned kInterpretedReads = 2;
  if (!known.place.is_at_same_depth(wait)) known.interpreted = 0;
  std::optional<std::vector<InterpreterStack>> interpreted;
  if (snapshot && known.interpreted < kInterpretedReads) {
    ++known.interpreted;
    interpreted = sampler.interpreted_at_wait(thread.pid, thread.tid, *snapshot);
  }
  const auto again = view_call(thread.record->call);
  if (!snapshot || !again || !again->same_call(call)) return;
  known.place = wait;
  known.read = now;
  known.one_connection = one_connection;
  emit_(LoopWaitSeen{thread.pid, thread.tid, wait, std::move(*snapshot), std::move(interpreted)});
}

bool LoopWaitSampler::waits_for_one_connection(const WatchedThread& thread, unsigned place) const {
  const auto* known = known_.find(thread);
  return known && (*known)[place].one_connection;
}

}  // namespace tailback
