// Loops whose waits the recorder can't see (unhooked_loop.h): where to look for them, how often,
// and what is told of their stalls.
#include <fmt/format.h>
#include <sys/syscall.h>

#include <algorithm>
#include <utility>

#include "runtime/detectors/watcher.h"

namespace tailback {

using contract::ThreadRecord;
using intercept::Family;
using intercept::Function;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Looks at threads of which nothing is known come so far apart, ever further if nothing is found.
constexpr Nanoseconds kFirstSurvey = milliseconds(500);
constexpr Nanoseconds kLongestPause = seconds(8);
constexpr Nanoseconds kNextSighting = milliseconds(250);

bool is_in_recorded_call(const ThreadRecord& record) {
  return record.call.function.load(std::memory_order_relaxed) != 0;
}

// A thread that is parked on a futex may have nothing to do. In the lock that it has recorded to
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
bool is_away_from_open(ProcSource& proc, const UnhookedLoop& loop, int pid, int tid) {
  const WaitPlace& home = loop.home();
  if (home.fd < 0) return loop.away()->stack_pointer < home.stack_pointer;
  const auto link = proc.descriptor_link(pid, home.fd);
  if (link != "anon_inode:[eventpoll]" && link != "anon_inode:[io_uring]") return false;
  const auto blocked = proc.kernel_call(pid, tid);
  const auto switches = proc.voluntary_switches(pid, tid);
  return switches && loop.is_still_away(blocked, *switches);
}

}  // namespace

void Watcher::survey_unhooked(const ThreadRecord& record, WatchedThread& thread, uint64_t now) {
  if (thread.next_survey == 0) {
    thread.survey_pause = kFirstSurvey;
    thread.next_survey = now + clock_.ticks(kFirstSurvey);
  }
  if (now < thread.next_survey || surveys_left_ == 0) return;
  if (!is_in_recorded_call(record)) {
    --surveys_left_;
    const auto blocked = proc_.kernel_call(thread.pid, thread.tid);
    const bool of_interest = blocked && (wait_place(*blocked) || thread.unseen.is_candidate());
    const auto switches =
        of_interest ? proc_.voluntary_switches(thread.pid, thread.tid) : std::nullopt;
    if (switches) thread.unseen.survey(blocked, *switches);
  }
  if (thread.unseen.is_candidate()) {
    thread.survey_pause = kNextSighting;
  } else {
    thread.survey_pause =
        std::clamp<Nanoseconds>(2 * thread.survey_pause, seconds(1), kLongestPause);
  }
  thread.next_survey = now + clock_.ticks(thread.survey_pause);
}

void Watcher::poll_unhooked(ThreadRecord& record, WatchedThread& thread) {
  const uint64_t now = clock_.now();
  survey_unhooked(record, thread, now);
  UnhookedLoop& loop = thread.unseen;
  if (!loop.is_loop() || followed_left_ == 0) {
    if (thread.unhooked_iteration) end_unhooked(thread, StallState::kUnfinished);
    return;
  }
  --followed_left_;
  auto blocked = proc_.kernel_call(thread.pid, thread.tid);
  if (blocked && may_be_idle(record, *blocked)) blocked.reset();
  const bool is_at_wait = blocked && wait_place(*blocked) == loop.home();
  if (blocked && !is_at_wait) {
    const auto switches = proc_.voluntary_switches(thread.pid, thread.tid);
    if (!switches) blocked.reset();
    loop.look(now, blocked, switches.value_or(0));
  } else {
    loop.look(now, blocked, 0);
  }
  const auto& away = loop.away();
  auto& iteration = thread.unhooked_iteration;
  if (iteration && (!away || away->since != iteration->begin_tick()))
    end_unhooked(thread, StallState::kEnded);
  if (!away) return;
  const Nanoseconds age = clock_.duration(away->until - away->since);
  if (age < threshold_ / 4) return;
  // How much of it is allowed is known of iterations that the recorder sees only.
  if (record.allowed_since.load(std::memory_order_relaxed) != 0) return;
  if (!iteration) {
    iteration.emplace(LoopWait{.key = loop.home().instruction_pointer}, away->since, age,
                      Nanoseconds::zero(), thread.pid, thread.tid, clock_, proc_);
    iteration->next_report = first_report_age();
  }
  iteration->look(age, Nanoseconds::zero());
  iteration->last_age = age;
  thread.unhooked_slack = clock_.duration(away->since - away->before);
  if (age >= threshold_ / 2 && !iteration->is_stopped() && iteration->sample_is_due(age)) {
    iteration->add_sample(sample(record, thread), age, age);
  }
  const Nanoseconds counted =
      age - std::min(age, not_counted(&*iteration, away->since, away->until));
  if (counted <= threshold_) return;
  if (!iteration->confirmed && !is_away_from_open(proc_, loop, thread.pid, thread.tid)) return;
  iteration->confirmed = true;
  if (counted < iteration->next_report) return;
  if (iteration->stall_id == 0 && !loop.allows_another_stall()) return;
  iteration->next_report = 2 * counted;
  if (iteration->stall_id == 0) iteration->stall_id = next_id_++;
  emit_unhooked(thread, counted, StallState::kOngoing);
}

void Watcher::emit_unhooked(const WatchedThread& thread, Nanoseconds length, StallState state) {
  const IterationTracker& iteration = *thread.unhooked_iteration;
  StallSeen observation =
      observe(thread, site_of(thread.unseen.home()), iteration.begin_tick(), length, &iteration);
  observation.state = state;
  observation.id = iteration.stall_id;
  // Before the first look that found it away, and after the last.
  const uint64_t now = clock_.now();
  const uint64_t last = std::min(now, iteration.begin_tick() + clock_.ticks(iteration.last_age));
  const Nanoseconds slack = thread.unhooked_slack + clock_.duration(now - last);
  observation.notes.push_back(fmt::format(
      "the loop's own wait is no call of libc's: the iteration was seen from outside, and may "
      "be up to {} ms longer",
      std::chrono::ceil<milliseconds>(slack).count()));
  emit_(std::move(observation));
}

// An iteration that is over, or of which no more will be known: then it is told only if it was
// before.
void Watcher::end_unhooked(WatchedThread& thread, StallState state) {
  IterationTracker& iteration = *thread.unhooked_iteration;
  note_stop(thread, iteration);
  const uint64_t end = iteration.begin_tick() + clock_.ticks(iteration.last_age);
  const Nanoseconds length =
      iteration.last_age -
      std::min(iteration.last_age, not_counted(&iteration, iteration.begin_tick(), end));
  const bool is_new = iteration.stall_id == 0 && state == StallState::kEnded &&
                      iteration.confirmed && length > threshold_ &&
                      thread.unseen.allows_another_stall();
  if (is_new) iteration.stall_id = next_id_++;
  if (iteration.stall_id != 0) {
    if (iteration.samples().empty()) ++unread_stalls_;
    emit_unhooked(thread, length, state);
  }
  thread.unhooked_iteration.reset();
}

}  // namespace tailback
