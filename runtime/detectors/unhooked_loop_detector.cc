#include "runtime/detectors/unhooked_loop_detector.h"

#include <fmt/format.h>
#include <sys/syscall.h>

#include <algorithm>
#include <utility>

#include "runtime/segment/record_view.h"

namespace tailback {

using contract::ThreadRecord;
using intercept::Family;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Threads read from outside in one poll: asked whether they are loops; followed as such.
constexpr unsigned kMostSurveys = 4;
constexpr unsigned kMostFollowed = 32;

// Surveys of threads of which nothing is known come so far apart, ever further if nothing is found.
constexpr Nanoseconds kFirstSurvey = milliseconds(500);
constexpr Nanoseconds kLongestPause = seconds(8);
constexpr Nanoseconds kNextSighting = milliseconds(250);

bool is_in_recorded_call(const ThreadRecord& record) {
  return record.call.function.load(std::memory_order_relaxed) != 0;
}

// A thread that is blocked on a futex may have nothing to do. In the lock that it has recorded to
// wait for, it has.
bool may_be_idle(const ThreadRecord& record, const KernelCall& blocked) {
  if (blocked.number != SYS_futex) return false;
  const auto call = view_call(record.call);
  return !call ||
         intercept::kFunctions[static_cast<uint32_t>(call->function)].family != Family::kLock;
}

SiteView site_of(const WaitPlace& place) {
  SiteView site;
  site.function = place.function;
  site.key = place.fd >= 0 ? static_cast<uint64_t>(place.fd) : 0;
  site.stack_pointer = place.stack_pointer;
  return site;
}

// Whether what a loop waited on is there while its thread is away; where that is not known, whether
// the thread is deeper in the stack than its wait. What is there after the thread has come back may
// be another loop's.
bool is_away_from_open(ProcSource& proc, const UnhookedLoop& loop, const WatchedThread& thread) {
  const WaitPlace& wait = loop.home();
  if (wait.fd < 0) return loop.away()->stack_pointer < wait.stack_pointer;
  const auto link = proc.descriptor_link(thread.pid, wait.fd);
  if (link != "anon_inode:[eventpoll]" && link != "anon_inode:[io_uring]") return false;
  const auto blocked = proc.kernel_call(thread.pid, thread.tid);
  const auto switches = proc.voluntary_switches(thread.pid, thread.tid);
  return switches && loop.is_still_away(blocked, *switches);
}

}  // namespace

UnhookedLoopDetector::UnhookedLoopDetector(DetectorInput& input, ThreadTable& threads,
                                           StallBuilder& builder, ObserverClock& health,
                                           Nanoseconds threshold, Nanoseconds interval, Emit emit)
    : clock_(input.clock()),
      proc_(input.proc()),
      threads_(threads),
      builder_(builder),
      health_(health),
      emit_(std::move(emit)),
      threshold_(threshold),
      interval_(interval) {}

void UnhookedLoopDetector::poll() {
  surveys_left_ = kMostSurveys;
  followed_left_ = kMostFollowed;
  const uint64_t now = clock_.now();
  for (const WatchedThread* thread : threads_.live()) {
    if (has_wait_sites(*thread->record)) continue;
    if (thread->choice() == LoopChoice::kNone) continue;
    ThreadState& state = states_.of(*thread);
    survey(*thread, state, now);
    if (state.loop.is_loop() && followed_left_ != 0) {
      --followed_left_;
      follow(*thread, state);
    } else if (state.iteration) {
      end(*thread, state, StallState::kUnfinished);
    }
  }
}

void UnhookedLoopDetector::survey(const WatchedThread& thread, ThreadState& state, uint64_t now) {
  if (state.next_survey == 0) {
    state.survey_pause = kFirstSurvey;
    state.next_survey = now + clock_.ticks(kFirstSurvey);
  }
  if (now < state.next_survey || surveys_left_ == 0) return;
  if (!is_in_recorded_call(*thread.record)) {
    --surveys_left_;
    const auto blocked = proc_.kernel_call(thread.pid, thread.tid);
    const bool of_interest = blocked && (wait_place(*blocked) || state.loop.is_candidate());
    const auto switches =
        of_interest ? proc_.voluntary_switches(thread.pid, thread.tid) : std::nullopt;
    if (switches) state.loop.survey(blocked, *switches);
  }
  if (state.loop.is_candidate()) {
    state.survey_pause = kNextSighting;
  } else {
    state.survey_pause = std::clamp<Nanoseconds>(2 * state.survey_pause, seconds(1), kLongestPause);
  }
  state.next_survey = now + clock_.ticks(state.survey_pause);
}

void UnhookedLoopDetector::look(const WatchedThread& thread, UnhookedLoop& loop, uint64_t now) {
  auto blocked = proc_.kernel_call(thread.pid, thread.tid);
  if (blocked && may_be_idle(*thread.record, *blocked)) blocked.reset();
  const bool is_at_wait = blocked && wait_place(*blocked) == loop.home();
  if (!blocked || is_at_wait) {
    loop.look(now, blocked, 0);
    return;
  }
  const auto switches = proc_.voluntary_switches(thread.pid, thread.tid);
  if (!switches) blocked.reset();
  loop.look(now, blocked, switches.value_or(0));
}

void UnhookedLoopDetector::follow(const WatchedThread& thread, ThreadState& state) {
  look(thread, state.loop, clock_.now());
  const auto& away = state.loop.away();
  if (state.iteration && (!away || away->since != state.iteration->begin_tick())) {
    end(thread, state, StallState::kEnded);
  }
  if (!away) return;
  const Nanoseconds age = clock_.duration(away->until - away->since);
  if (age < threshold_ / 4) return;
  // How much of it is allowed is known only of iterations that the recorder sees.
  if (thread.record->allowed_since.load(std::memory_order_relaxed) != 0) return;
  on_away(thread, state, age);
}

void UnhookedLoopDetector::on_away(const WatchedThread& thread, ThreadState& state,
                                   Nanoseconds age) {
  const UnhookedLoop::Away& away = *state.loop.away();
  auto& iteration = state.iteration;
  if (!iteration) {
    iteration.emplace(LoopWait{.key = state.loop.home().instruction_pointer}, away.since, age,
                      Nanoseconds::zero(), thread.pid, thread.tid, clock_, proc_);
    iteration->next_report = builder_.first_report_age();
  }
  iteration->look(age, Nanoseconds::zero());
  iteration->last_age = age;
  state.slack = clock_.duration(away.since - away.before);
  if (age >= threshold_ / 2 && !iteration->is_stopped() && iteration->sample_is_due(age)) {
    iteration->add_sample(builder_.sample(thread), age, age);
  }
  report_in_progress(thread, state, age);
}

void UnhookedLoopDetector::report_in_progress(const WatchedThread& thread, ThreadState& state,
                                              Nanoseconds age) {
  const UnhookedLoop::Away& away = *state.loop.away();
  IterationTracker& iteration = *state.iteration;
  const Nanoseconds counted =
      age - std::min(age, health_.not_counted(&iteration, away.since, away.until));
  if (counted <= threshold_) return;
  if (!iteration.confirmed && !is_away_from_open(proc_, state.loop, thread)) return;
  iteration.confirmed = true;
  if (counted < iteration.next_report) return;
  if (iteration.stall_id == 0 && !state.loop.allows_another_stall()) return;
  iteration.next_report = 2 * counted;
  if (iteration.stall_id == 0) iteration.stall_id = builder_.next_id();
  emit(thread, state, counted, StallState::kOngoing);
}

// One of which no more will be known is reported only if it was before.
void UnhookedLoopDetector::end(const WatchedThread& thread, ThreadState& state, StallState how) {
  IterationTracker& iteration = *state.iteration;
  health_.note_stop(thread, builder_.process_name(thread), iteration);
  const uint64_t end = iteration.begin_tick() + clock_.ticks(iteration.last_age);
  const Nanoseconds less = health_.not_counted(&iteration, iteration.begin_tick(), end);
  const Nanoseconds length = iteration.last_age - std::min(iteration.last_age, less);
  const bool is_new = iteration.stall_id == 0 && how == StallState::kEnded && iteration.confirmed &&
                      length > threshold_ && state.loop.allows_another_stall();
  if (is_new) iteration.stall_id = builder_.next_id();
  if (iteration.stall_id != 0) {
    if (iteration.samples().empty()) ++unread_;
    emit(thread, state, length, how);
  }
  state.iteration.reset();
}

void UnhookedLoopDetector::emit(const WatchedThread& thread, const ThreadState& state,
                                Nanoseconds length, StallState how) {
  const IterationTracker& iteration = *state.iteration;
  StallSeen stall = builder_.build(thread, site_of(state.loop.home()), iteration.begin_tick(),
                                   length, &iteration);
  stall.state = how;
  stall.id = iteration.stall_id;
  // Before the first poll that found it away, and after the last.
  const uint64_t now = clock_.now();
  const uint64_t last = std::min(now, iteration.begin_tick() + clock_.ticks(iteration.last_age));
  const Nanoseconds slack = state.slack + clock_.duration(now - last);
  stall.limits.push_back({LimitKind::kUnhookedWait, slack});
  emit_(std::move(stall));
}

void UnhookedLoopDetector::on_thread_end(const WatchedThread& thread, Ending) {
  ThreadState* state = states_.find(thread);
  if (state && state->iteration) end(thread, *state, StallState::kUnfinished);
  states_.erase(thread);
}

}  // namespace tailback
