#include "runtime/detectors/loop_wait_sampler.h"

#include <utility>

#include "runtime/loops/loop_choice.h"
#include "runtime/loops/loop_model.h"
#include "runtime/loops/workers.h"

namespace tailback {

namespace {

constexpr unsigned kMostSamples = 4;  // in one poll
constexpr size_t kMostSleeps = 4096;
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
  const bool may_be_loop = is_loop(site, thread.record->wait_sites[place], threshold_ticks_) ||
                           is_said_to_be_loop(thread.choice());
  // What an interpreter's threads sleep in is known by the first of them that does.
  if (!may_be_loop && known.purpose_was_read) return;
  if (!is_due(known, wait, now) || left_ == 0) return;
  const auto call = view_call(thread.record->call);
  if (!call || call->call_site != site.call_site || !tracks_iterations(call->function)) return;
  known.purpose_was_read = true;
  if (may_be_loop) {
    sample(thread, known, wait, *call, now);
  } else if (is_poll_of_few(*call)) {
    --left_;
    const auto snapshot = input_.sampler().take_wait(thread.pid, thread.tid, *call);
    if (snapshot) read_purpose(thread, known, wait.key, *call, *snapshot);
  }
}

void LoopWaitSampler::sample(const WatchedThread& thread, KnownWait& known, const LoopWait& wait,
                             const CallView& call, uint64_t now) {
  --left_;
  if (known.read != 0 && known.place.is_at_same_depth(wait)) ++refreshed_;
  ThreadSampler& sampler = input_.sampler();
  auto snapshot = sampler.take_wait(thread.pid, thread.tid, call);
  // An interpreter may not be known yet at the first waits.
  constexpr unsigned kInterpretedReads = 4;
  if (!known.place.is_at_same_depth(wait)) known.interpreted = 0;
  std::optional<std::vector<InterpreterStack>> interpreted;
  if (snapshot && known.interpreted < kInterpretedReads) {
    ++known.interpreted;
    interpreted = sampler.interpreted_at_wait(thread.pid, thread.tid, *snapshot);
  }
  if (!snapshot || !read_purpose(thread, known, wait.key, call, *snapshot)) return;
  known.place = wait;
  known.read = now;
  emit_(LoopWaitSeen{thread.pid, thread.tid, wait, std::move(*snapshot), std::move(interpreted)});
}

bool LoopWaitSampler::read_purpose(const WatchedThread& thread, KnownWait& known, uint64_t key,
                                   const CallView& call, const Snapshot& snapshot) {
  const Mapping* caller =
      snapshot.modules ? snapshot.modules->find(RemoteAddress(call.call_site)) : nullptr;
  const PollPurpose purpose =
      purpose_of_poll(input_.proc(), input_.sampler(), thread.pid, call,
                      caller ? std::string_view(caller->path) : std::string_view());
  const auto again = view_call(thread.record->call);
  if (!again || !again->same_call(call)) return false;
  known.purpose = purpose;
  if (purpose == PollPurpose::kInterpreterSleep && interpreter_sleeps_.size() < kMostSleeps) {
    interpreter_sleeps_.emplace(thread.pid, key);
  }
  return true;
}

PollPurpose LoopWaitSampler::purpose(const WatchedThread& thread, unsigned place,
                                     const SiteView& site) const {
  if (interpreter_sleeps_.contains({thread.pid, site.key})) return PollPurpose::kInterpreterSleep;
  const auto* known = known_.find(thread);
  return known ? (*known)[place].purpose : PollPurpose::kEvents;
}

}  // namespace tailback
