#include "runtime/detectors/stall_detector.h"

#include <utility>

#include "runtime/loops/idle_waits.h"
#include "runtime/loops/loop_model.h"
#include "runtime/loops/workers.h"
#include "runtime/segment/iteration_annotations.h"

namespace tailback {

using contract::Event;
using contract::EventKind;

namespace {

bool is_in_progress(const IterationTracker& iteration, const SiteView& site) {
  return iteration.begin_tick() == site.iteration_begin && iteration.key() == site.key;
}

// Runs, or would if it had a CPU.
bool is_ready(ProcSource& proc, const WatchedThread& thread) {
  const auto stat = proc.thread_stat(thread.pid, thread.tid);
  return stat && stat->state == 'R';
}

// The age of an iteration since when its thread is known to have been where it was found at `age`.
Nanoseconds age_since(const Clock& clock, const Sample& found, uint64_t iteration_begin,
                      Nanoseconds age) {
  if (found.source != Sample::Source::kRecord || found.recorded.entered < iteration_begin) {
    return age;
  }
  return std::min(age, clock.duration(found.recorded.entered - iteration_begin));
}

std::optional<unsigned> place_of(const contract::ThreadRecord& record, uint64_t key) {
  for (unsigned place = 0; place < contract::kWaitSites; ++place) {
    if (record.wait_sites[place].key.load(std::memory_order_relaxed) == key) return place;
  }
  return std::nullopt;  // it has given way to another site
}

LimitKind limit_of(Ending ending) {
  switch (ending) {
    case Ending::kThread:
      return LimitKind::kThreadEnded;
    case Ending::kProcess:
      return LimitKind::kProcessEnded;
    case Ending::kSession:
      break;
  }
  return LimitKind::kObservingEnded;
}

}  // namespace

StallDetector::StallDetector(DetectorInput& input, ThreadTable& threads, StallBuilder& builder,
                             ObserverClock& health, JudgedSites& judged, Nanoseconds threshold,
                             Nanoseconds interval, const Emit& emit)
    : segment_(input.segment()),
      clock_(input.clock()),
      proc_(input.proc()),
      threads_(threads),
      builder_(builder),
      health_(health),
      judged_(judged),
      emit_(emit),
      threshold_(threshold),
      interval_(interval),
      threshold_ticks_(clock_.ticks(threshold)),
      ended_(input, emit),
      idle_waits_(input, builder, emit),
      loop_waits_(input, threshold_ticks_, emit),
      runnable_(input) {}

void StallDetector::poll() {
  ++polls_;
  runnable_.begin_poll();
  loop_waits_.begin_poll();
  for (WatchedThread* thread : threads_.live()) {
    if (has_wait_sites(*thread->record)) {
      poll_thread(*thread);
    } else if (threads_.names_matter()) {
      read_early_name(*thread);
    }
  }
  ended_.settle(false);
}

// Most threads that have a name get it soon after they began.
void StallDetector::read_early_name(WatchedThread& thread) {
  constexpr unsigned kFirstReads = 5;
  if (thread.name_reads < kFirstReads) threads_.read_name(thread);
}

void StallDetector::poll_thread(WatchedThread& thread) {
  if (polls_ % 50 == 0) {
    threads_.read_name(thread);
  } else if (threads_.names_matter()) {
    read_early_name(thread);
  }
  if (thread.choice() == LoopChoice::kNone) return;
  ThreadState& state = states_.of(thread);
  if (!state.is_tracking()) runnable_.read(thread);
  const std::vector<SiteView> sites = view_sites(*thread.record);
  for (unsigned place = 0; place < contract::kWaitSites; ++place) {
    const auto site = view_site(thread.record->wait_sites[place]);
    if (site) poll_site({thread, state, place, *site, sites});
  }
}

void StallDetector::poll_site(const At& at) {
  if (at.state.early.any()) report_early(at);
  auto& iteration = at.iteration();
  if (iteration && !is_in_progress(*iteration, at.site)) {
    await_event(at);
    if (iteration) return;
  }
  const uint64_t begin = at.site.iteration_begin;
  if (begin == 0) {
    loop_waits_.poll(at.thread, at.place, at.site);
    return;
  }
  const uint64_t now = clock_.now();
  if (begin >= now) return;
  const Nanoseconds age = clock_.duration(now - begin);
  if (age < threshold_ / 4) return;
  if (at.site.is_non_event_wait() && !is_loop(at.site, at.wait_site(), threshold_ticks_)) return;
  const Nanoseconds allowed =
      clock_.duration(allowed_so_far(at.record(), at.wait_site(), begin, now));
  const auto call = view_call(at.record().call);
  const IdleAt idle = idle_at(at.site, call, at.sites, at.record());
  // What confirmed it are samples from before the place was known.
  if (idle == IdleAt::kIdleWait && iteration) iteration->confirmed = false;
  if (idle != IdleAt::kNothing) return;
  if (call && may_be_idle_wait(*call)) idle_waits_.ask(at.thread, *call, begin);

  track(at, age, allowed);
  sample_if_due(at, age, allowed);
  if (age > threshold_ && is_stall(at, age)) report_in_progress(at, age, now);
}

void StallDetector::track(const At& at, Nanoseconds age, Nanoseconds allowed) {
  auto& iteration = at.iteration();
  if (!iteration) {
    iteration.emplace(loop_wait_of(at.site), at.site.iteration_begin, age, allowed, at.thread.pid,
                      at.thread.tid, clock_, proc_);
    iteration->next_report = builder_.first_report_age();
  }
  iteration->look(age, allowed);
  iteration->last_age = age;
}

void StallDetector::sample_if_due(const At& at, Nanoseconds age, Nanoseconds allowed) {
  IterationTracker& iteration = *at.iteration();
  if (age - allowed < threshold_ / 2 || iteration.is_stopped() ||
      blocking_is_allowed(at.record()) || !iteration.sample_is_due(age)) {
    return;
  }
  auto sample = builder_.sample(at.thread);
  // It may have taken so long that the thread is elsewhere.
  const auto again = view_site(at.wait_site());
  if (!again || !is_in_progress(iteration, *again)) return;
  const Nanoseconds since = age_since(clock_, *sample, at.site.iteration_begin, age);
  iteration.add_sample(std::move(sample), age, since);
}

// The part of an iteration of this age that counts.
Nanoseconds StallDetector::without(const At& at, Nanoseconds age, uint64_t end_tick) const {
  const IterationTracker& iteration = *at.iteration();
  return age - health_.not_counted(&iteration, at.site.iteration_begin, end_tick) -
         iteration.allowed();
}

std::vector<SiteView> StallDetector::loops_of(const At& at) const {
  return loops_among(at.thread.choice(), at.sites, at.record(), threshold_ticks_);
}

bool StallDetector::is_worker_at(const At& at) const {
  const PollPurpose purpose = loop_waits_.purpose(at.thread, at.place, at.site);
  return purpose == PollPurpose::kInterpreterSleep ||
         is_worker(segment_, at.record(), at.site, threshold_ticks_,
                   purpose == PollPurpose::kOneConnection);
}

bool StallDetector::is_stall(const At& at, Nanoseconds age) const {
  const uint64_t end = at.site.iteration_begin + clock_.ticks(age);
  if (without(at, age, end) <= threshold_) return false;
  const std::vector<SiteView> loops = loops_of(at);
  const IterationInProgress iteration{.site = at.site,
                                      .sites = at.sites,
                                      .loops = loops,
                                      .choice = at.thread.choice(),
                                      .call = view_call(at.record().call),
                                      .is_very_long = age >= builder_.first_report_age()};
  return dismissal_of(iteration) == Dismissal::kNone &&
         loop_is_open(proc_, at.thread.pid, at.site) && runs_loop_at(at);
}

// Whether the thread of a long iteration is none of a pool's. The last thread of a pool that ends
// has nobody left with whom it shares a place.
bool StallDetector::runs_loop_at(const At& at) const {
  const bool was_worker = judged_.is_no_loop(at.thread, at.site.key);
  const bool runs_loop =
      !is_worker_at(at) && (!was_worker || is_steady(at.site, at.wait_site(), threshold_ticks_));
  judged_.judge(at.thread, at.site.key, runs_loop);
  return runs_loop;
}

void StallDetector::report_in_progress(const At& at, Nanoseconds age, uint64_t now) {
  IterationTracker& iteration = *at.iteration();
  iteration.confirmed = true;
  const Nanoseconds counted = without(at, age, now);
  if (counted < iteration.next_report) return;
  if (iteration.stall_id == 0 && at.state.has_open_stall()) return;
  iteration.next_report = 2 * counted;
  if (iteration.stall_id == 0) iteration.stall_id = builder_.next_id();
  const uint64_t begin = at.site.iteration_begin;
  StallSeen stall = build(at, begin, counted, &iteration);
  note_allowed(stall, iteration.allowed());
  stall.iteration = iteration_name(segment_.iteration_names[at.thread.index], begin);
  stall.state = StallState::kOngoing;
  stall.id = iteration.stall_id;
  emit_(std::move(stall));
}

// It was short or made void, unless its event is still on its way or was lost. An event is on its
// way for as long as the thread has no CPU to send it, and at the latest comes before the next
// iteration here.
void StallDetector::await_event(const At& at) {
  constexpr unsigned kFewPolls = 3;
  constexpr unsigned kManyPolls = 300;
  auto& iteration = at.iteration();
  const unsigned polls = ++iteration->polls_since_end;
  if (polls < kFewPolls) return;
  if (at.site.iteration_begin == 0 && polls < kManyPolls && is_ready(proc_, at.thread)) return;
  note_stop(at.thread, *iteration);
  if (iteration->stall_id != 0) {
    const Nanoseconds less = iteration->stopped() + iteration->allowed();
    StallSeen stall = build(at, iteration->begin_tick(),
                            iteration->last_age - std::min(iteration->last_age, less), &*iteration);
    stall.id = iteration->stall_id;
    stall.limits.push_back({LimitKind::kEndNotRecorded});
    emit_(std::move(stall));
  }
  iteration.reset();
}

void StallDetector::on_event(const Event& event) {
  switch (static_cast<EventKind>(event.kind)) {
    case EventKind::kIteration:
      on_iteration(event);
      return;
    case EventKind::kPendingEvents:
      ended_.on_pending_events(event);
      return;
    default:
      return;
  }
}

void StallDetector::on_iteration(const Event& event) {
  WatchedThread* thread = threads_.watch(event.record);
  if (!thread) return;
  if (threads_.names_matter()) threads_.read_name(*thread);
  const auto place = place_of(*thread->record, event.key);
  if (!place) return;
  auto site = view_site(thread->record->wait_sites[*place]);
  if (!site) return;
  site->contributors = view_contributors(event.contributors);
  site->other_ticks = event.other_ticks;
  const std::vector<SiteView> sites = view_sites(*thread->record);
  end_iteration({*thread, states_.of(*thread), *place, *site, sites}, event);
}

void StallDetector::end_iteration(const At& at, const Event& event) {
  std::optional<IterationTracker> iteration;
  if (at.iteration() && at.iteration()->begin_tick() == event.begin_tick) {
    iteration = std::exchange(at.iteration(), std::nullopt);
  }
  const IterationTracker* tracked = iteration ? &*iteration : nullptr;
  const IterationLength length = length_of(event, at.site, at.sites, at.thread.choice());
  if (iteration) {
    iteration->drop_samples_after(event.end_tick);
    iteration->look(clock_.duration(event.end_tick - event.begin_tick),
                    clock_.duration(length.allowed),
                    clock_.duration(clock_.now() - event.end_tick));
    note_stop(at.thread, *iteration);
  }
  Nanoseconds duration = clock_.duration(length.counted());
  duration -= std::min(duration, health_.not_counted(tracked, length.begin, event.end_tick));
  judged_.count(at.thread, at.site.key, event.end_tick - event.begin_tick,
                clock_.ticks(duration) + length.allowed);
  uint64_t id = iteration ? iteration->stall_id : 0;
  if (id == 0) id = id_of_ended(at, event, duration);
  const bool is_early = id == 0 && tracked && duration > threshold_ && may_be_early(at, *tracked);
  if (id == 0 && !is_early) return;
  if (!is_early) {
    at.state.reported_begin = event.begin_tick;
    at.state.reported_end = event.end_tick;
  }
  StallSeen stall = build(at, length.begin, duration, tracked);
  stall.runnable_at_most = runnable_.since(at.thread, length.begin);
  note_allowed(stall, clock_.duration(length.allowed));
  stall.iteration = iteration_name(event.name);
  stall.state = StallState::kEnded;
  if (is_early) {
    at.state.early.keep(at.site.key, at.site.stack_pointer, std::move(stall));
    return;
  }
  stall.id = id;
  if (stall.samples.empty()) ++unread_;
  ended_.add(event, std::move(stall));
}

// A poll or select is a loop's only after several iterations. Whether the first long ones were a
// loop's shows then.
bool StallDetector::may_be_early(const At& at, const IterationTracker& iteration) const {
  const bool is_poll =
      !at.site.is_epoll() && !at.site.is_non_event_wait() && !at.site.is_named_wait();
  return is_poll && at.thread.choice() == LoopChoice::kByBehaviour &&
         at.site.iterations < kLeastPollIterations && loops_of(at).empty() &&
         iteration.wait().stack_pointer == at.site.stack_pointer;
}

void StallDetector::report_early(const At& at) {
  if (!is_steady(at.site, at.wait_site(), threshold_ticks_) || !is_among(loops_of(at), at.site) ||
      is_worker_at(at)) {
    return;
  }
  for (StallSeen& stall : at.state.early.take(at.site.key, at.site.stack_pointer)) {
    stall.id = builder_.next_id();
    if (stall.samples.empty()) ++unread_;
    emit_(std::move(stall));
  }
}

uint64_t StallDetector::id_of_ended(const At& at, const Event& event, Nanoseconds duration) {
  const std::vector<SiteView> loops = loops_of(at);
  const uint64_t reported =
      overlap(event.begin_tick, event.end_tick, at.state.reported_begin, at.state.reported_end);
  const EndedIterationView view{.site = at.site,
                                .loops = loops,
                                .begin_tick = event.begin_tick,
                                .duration = duration,
                                .reported = clock_.duration(reported),
                                .threshold = threshold_};
  if (dismissal_of(view) != Dismissal::kNone) return 0;
  if ((at.site.is_non_event_wait() && !loop_is_open(proc_, at.thread.pid, at.site)) ||
      is_number_reused(proc_, at.thread.pid, at.site, at.sites)) {
    judged_.judge(at.thread, at.site.key, false);
    return 0;
  }
  if (!runs_loop_at(at)) return 0;
  if (const auto other = reported_elsewhere(at.state, event)) {
    const uint64_t id = at.state.iterations[*other]->stall_id;
    at.state.iterations[*other].reset();
    return id;
  }
  // A stall that still goes on will end, too.
  return at.state.has_open_stall() ? 0 : builder_.next_id();
}

std::optional<unsigned> StallDetector::reported_elsewhere(const ThreadState& state,
                                                          const Event& event) {
  for (unsigned place = 0; place < contract::kWaitSites; ++place) {
    const auto& iteration = state.iterations[place];
    if (iteration && iteration->stall_id != 0 && iteration->begin_tick() > event.begin_tick &&
        iteration->begin_tick() < event.end_tick) {
      return place;
    }
  }
  return std::nullopt;
}

void StallDetector::on_thread_end(const WatchedThread& thread, Ending ending) {
  if (ThreadState* state = states_.find(thread)) {
    const std::vector<SiteView> sites = view_sites(*thread.record);
    for (unsigned place = 0; place < contract::kWaitSites; ++place) {
      const auto site = view_site(thread.record->wait_sites[place]);
      if (site && state->iterations[place]) {
        end_unfinished({thread, *state, place, *site, sites}, ending);
      }
    }
  }
  states_.erase(thread);
  idle_waits_.forget(thread);
  loop_waits_.forget(thread);
  runnable_.forget(thread);
}

// A thread or a process that ends by itself may have left its loop long before: only an iteration
// that was seen to block an open loop counts, and of a thread only what was reported already.
void StallDetector::end_unfinished(const At& at, Ending ending) {
  const IterationTracker& iteration = *at.iteration();
  note_stop(at.thread, iteration);
  const bool counts = ending != Ending::kThread && iteration.confirmed;
  if (iteration.stall_id == 0 && !counts) return;
  const uint64_t now = clock_.now();
  const uint64_t begin = iteration.begin_tick();
  const Nanoseconds age =
      ending == Ending::kThread ? iteration.last_age : clock_.duration(now - std::min(now, begin));
  const Nanoseconds less = health_.not_counted(&iteration, begin, now) + iteration.allowed();
  StallSeen stall = build(at, begin, age - std::min(age, less), &iteration);
  note_allowed(stall, iteration.allowed());
  stall.state = StallState::kUnfinished;
  stall.id = iteration.stall_id != 0 ? iteration.stall_id : builder_.next_id();
  stall.limits.push_back({limit_of(ending)});
  emit_(std::move(stall));
}

void StallDetector::on_verdict(const AnalysisVerdict& verdict) {
  if (const auto* place = std::get_if<IdleWaitPlace>(&verdict)) {
    idle_waits_.on_verdict(*place);
    return;
  }
  const auto* none = std::get_if<NoStall>(&verdict);
  if (!none) return;
  const IterationId& id = none->iteration;
  ThreadState* state = states_.find(id.record, id.generation);
  if (!state) return;
  for (auto& iteration : state->iterations) {
    if (iteration && iteration->key() == id.key && iteration->begin_tick() == id.begin_tick) {
      iteration->is_no_stall = true;
    }
  }
}

StallSeen StallDetector::build(const At& at, uint64_t begin_tick, Nanoseconds duration,
                               const IterationTracker* iteration) {
  StallSeen stall = builder_.build(at.thread, at.site, begin_tick, duration, iteration);
  stall.sharing = sharing_of(segment_, at.record(), begin_tick);
  return stall;
}

void StallDetector::note_stop(const WatchedThread& thread, const IterationTracker& iteration) {
  if (iteration.stopped() <= Nanoseconds::zero()) return;
  health_.note_stop(thread, builder_.process_name(thread), iteration);
}

}  // namespace tailback
