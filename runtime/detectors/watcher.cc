#include "runtime/detectors/watcher.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "runtime/locks/owner_chain.h"
#include "runtime/loops/idle_waits.h"
#include "runtime/loops/workers.h"
#include "runtime/segment/iteration_annotations.h"

namespace tailback {

using contract::ThreadRecord;
using contract::ThreadState;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Nanoseconds kShortCall = std::chrono::microseconds(5);
// Threads looked at from outside at one look: asked whether they are loops; followed as such.
constexpr unsigned kMostSurveys = 4;
constexpr unsigned kMostFollowed = 32;
// Readings of the time without a CPU in one look.
constexpr unsigned kMostReadings = 8;
// Stacks of waiting loops read in one look.
constexpr unsigned kMostLoopWaits = 4;

// The loop statistics kept of threads that have ended.
constexpr size_t kMostLoops = 4096;

}  // namespace

Watcher::Watcher(DetectorInput& input, const ObserverSettings& settings, Verdicts& verdicts,
                 Emit emit)
    : input_(input),
      segment_(input.segment()),
      clock_(input.clock()),
      proc_(input.proc()),
      sampler_(input.sampler()),
      threshold_(settings.threshold),
      tracked_locks_(tracked_locks(settings)),
      verdicts_(verdicts),
      emit_(std::move(emit)),
      ring_(input.segment()),
      findings_(input.segment()),
      processes_(input.segment(), proc_, sampler_),
      blocking_calls_(input, settings.blocking_calls),
      deadlocks_(input),
      loop_names_(settings.loops) {}

Watcher::~Watcher() {
  if (thread_.joinable()) stop();
}

void Watcher::start() {
  contract::Header& header = segment_.header;
  threshold_ticks_ = clock_.ticks(threshold_);
  header.pause_limit_ticks.store(clock_.ticks(kPauseLimit));
  header.short_call_ticks.store(clock_.ticks(kShortCall));
  header.tracked_locks.store(tracked_locks_);
  blocking_calls_.start();
  header.threshold_ticks.store(threshold_ticks_, std::memory_order_release);
  last_poll_ = clock_.now();
  thread_ = std::thread([this] { run(); });
}

void Watcher::stop() {
  stopping_.store(true);
  thread_.join();
}

Nanoseconds Watcher::first_report_age() const {
  return std::max<Nanoseconds>(threshold_ * 10, seconds(1));
}

std::shared_ptr<const Sample> Watcher::sample(ThreadRecord& record, const WatchedThread& thread) {
  const auto index = static_cast<uint32_t>(&record - segment_.threads);
  auto sample = sampler_.take(index, thread.pid, thread.tid);
  if (sample->call) add_owners(input_, thread.pid, thread.tid, *sample);
  return sample;
}

Nanoseconds Watcher::interval() const {
  return std::clamp<Nanoseconds>(threshold_ / 5, milliseconds(1), milliseconds(20));
}

void Watcher::run() {
  // Looks should come when they are due, also on a busy machine. Both are refused to some: then
  // the looks come a little later.
  prctl(PR_SET_TIMERSLACK, 1000);
  setpriority(PRIO_PROCESS, 0, -10);
  while (!stopping_.load()) {
    // Nothing that a target does may end the observer.
    try {
      look();
    } catch (const std::exception&) {
      ++corrupt_;
    }
    if (blocking_calls_.is_on()) {
      poll_blocking_calls();
    } else {
      std::this_thread::sleep_for(interval());
    }
  }
  blocking_calls_.stop();
  look();
  for (const uint32_t process : processes_.update(true)) retire_process(process, Ending::kProcess);
  // Whoever still lives is left alone from here on.
  const uint32_t used = threads_used(segment_);
  for (uint32_t index = 0; index < used; ++index) {
    retire_thread(index, segment_.threads[index], Ending::kSession);
  }
  read_ring();
  settle_ended_iterations(true);
}

void Watcher::look() {
  input_.begin_poll();
  const uint64_t now = clock_.now();
  poll_clocks(now, clock_.duration(now - std::min(now, last_poll_)));
  last_poll_ = now;
  ++polls_;
  read_verdicts();
  // The rate can't be measured over a time in which only one of the two clocks went on.
  if (polls_ % 64 == 0 && !suspensions_.any()) clock_.refine();
  // Many processes are asked for more seldom whether they live.
  constexpr size_t kFewProcesses = 32;
  poll_processes(processes_.count() <= kFewProcesses || polls_ % 5 == 0);
  read_ring();
  poll_threads();
  settle_ended_iterations(false);
  poll_findings();
  for (DeadlockSeen& found : deadlocks_.look()) emit_(std::move(found));
  if (polls_ % 50 == 0) reap_exited_threads();
  if (status_wanted_.exchange(false)) emit_(StatusSeen{status()});
}

void Watcher::poll_processes(bool check_lives) {
  for (const uint32_t process : processes_.update(check_lives)) {
    read_ring();  // its last words come first
    retire_process(process, Ending::kProcess);
  }
  seen_processes_.store(processes_.seen());
  live_processes_.store(processes_.count());
}

Watcher::WatchedThread* Watcher::watched(uint32_t index, const ThreadRecord& record) {
  const uint32_t generation = record.generation.load(std::memory_order_acquire);
  const auto known = threads_.find(index);
  if (known != threads_.end() && known->second.generation == generation) return &known->second;
  WatchedThread found;
  found.index = index;
  found.generation = generation;
  found.pid = record.pid.load(std::memory_order_relaxed);
  found.tid = record.tid.load(std::memory_order_relaxed);
  found.process = record.process.load(std::memory_order_relaxed);
  // Its process may have attached since the last look at processes.
  if (!processes_.find(found.process)) processes_.update(false);
  if (found.pid <= 0 || found.tid <= 0 || !processes_.find(found.process)) {
    threads_.erase(index);
    return nullptr;
  }
  ++seen_threads_;
  WatchedThread& thread = threads_[index] = std::move(found);
  thread.name = "?";
  read_name(thread);
  return &thread;
}

void Watcher::read_name(WatchedThread& thread) {
  if (auto name = proc_.comm(thread.pid, thread.tid)) thread.name = std::move(*name);
  ++thread.name_reads;
  thread.named = loop_names_.choose(thread.name);
}

LoopChoice Watcher::choice_of(const WatchedThread& thread, const ThreadRecord& record) {
  return loop_choice(thread.named, record.mark.load(std::memory_order_relaxed));
}

void Watcher::poll_threads() {
  surveys_left_ = kMostSurveys;
  followed_left_ = kMostFollowed;
  readings_left_ = kMostReadings;
  loop_wait_samples_left_ = kMostLoopWaits;
  refreshed_loop_waits_ = 0;
  const uint32_t used = threads_used(segment_);
  for (uint32_t index = 0; index < used; ++index) {
    ThreadRecord& record = segment_.threads[index];
    const auto state = static_cast<ThreadState>(record.state.load(std::memory_order_acquire));
    if (state == ThreadState::kExited) {
      read_ring();  // its last words come first
      watched(index, record);
      retire_thread(index, record, Ending::kThread);
    } else if (state == ThreadState::kLive) {
      WatchedThread* thread = watched(index, record);
      if (!thread) continue;
      if (record.sites.load(std::memory_order_relaxed) == 0) {
        if (choice_of(*thread, record) != LoopChoice::kNone) poll_unhooked(record, *thread);
        continue;
      }
      // Most threads that have a name get it soon after they began.
      constexpr unsigned kFirstReads = 5;
      if (polls_ % 50 == 0 || (loop_names_.any() && thread->name_reads < kFirstReads)) {
        read_name(*thread);
      }
      if (choice_of(*thread, record) == LoopChoice::kNone) continue;
      read_runnable(*thread);
      const std::vector<SiteView> sites = view_sites(record);
      for (unsigned place = 0; place < contract::kWaitSites; ++place) {
        const auto site = view_site(record.wait_sites[place]);
        if (site) poll_iteration(record, *thread, place, *site, sites);
      }
    }
  }
}

void Watcher::read_runnable(WatchedThread& thread) {
  constexpr Nanoseconds kEvery = std::chrono::milliseconds(200);
  const uint64_t now = clock_.now();
  const bool in_long_iteration =
      std::any_of(std::begin(thread.iterations), std::end(thread.iterations),
                  [](const auto& iteration) { return iteration.has_value(); });
  if (readings_left_ == 0 || in_long_iteration ||
      clock_.duration(now - thread.runnable_read) < kEvery) {
    return;
  }
  --readings_left_;
  const auto times = proc_.schedule_times(thread.pid, thread.tid);
  thread.runnable_before = times ? std::optional(times->runnable) : std::nullopt;
  thread.runnable_read = now;
}

void Watcher::poll_iteration(ThreadRecord& record, WatchedThread& thread, unsigned place,
                             const SiteView& site, const std::vector<SiteView>& sites) {
  auto& iteration = thread.iterations[place];
  if (iteration &&
      (iteration->begin_tick() != site.iteration_begin || iteration->key() != site.key)) {
    forget_iteration(thread, place, site);
    if (iteration) return;
  }
  const uint64_t now = clock_.now();
  if (site.iteration_begin == 0) sample_loop_wait(record, thread, place, site);
  if (site.iteration_begin == 0 || site.iteration_begin >= now) return;
  const Nanoseconds age = clock_.duration(now - site.iteration_begin);
  if (age < threshold_ / 4) return;
  if (site.is_non_event_wait() && !is_loop(site, record.wait_sites[place], threshold_ticks_))
    return;
  const Nanoseconds allowed =
      clock_.duration(allowed_so_far(record, record.wait_sites[place], site.iteration_begin, now));
  const auto call = view_call(record.call);
  if (call && waits_at_sibling(site, *call, sites)) return;
  if (call && is_idle_wait(record, *call)) {
    if (iteration) iteration->confirmed = false;  // by looks at the time before the place was known
    return;
  }
  if (call && may_be_idle_wait(*call)) ask_about_idle_wait(record, thread, *call);

  if (!iteration) {
    iteration.emplace(loop_wait_of(site), site.iteration_begin, age, allowed, thread.pid,
                      thread.tid, clock_, proc_);
    iteration->next_report = first_report_age();
  }
  iteration->look(age, allowed);
  iteration->last_age = age;
  if (age - allowed >= threshold_ / 2 && !iteration->is_stopped() && !blocking_is_allowed(record) &&
      iteration->sample_is_due(age)) {
    auto taken = sample(record, thread);
    const Nanoseconds since = since_when(*taken, site.iteration_begin, age);
    iteration->add_sample(std::move(taken), age, since);
  }
  if (age <= threshold_ || !is_confirmed_stall(record, thread, place, site, sites, age)) return;
  iteration->confirmed = true;
  const Nanoseconds counted =
      age - not_counted(&*iteration, site.iteration_begin, now) - iteration->allowed();
  if (counted < iteration->next_report) return;
  if (iteration->stall_id == 0 && thread.has_open_stall()) return;
  iteration->next_report = 2 * counted;
  if (iteration->stall_id == 0) iteration->stall_id = next_id_++;
  StallSeen observation = observe(thread, site, site.iteration_begin, counted, &*iteration);
  note_allowed(observation, iteration->allowed());
  observation.iteration =
      iteration_name(segment_.iteration_names[&record - segment_.threads], site.iteration_begin);
  observation.state = StallState::kOngoing;
  observation.id = iteration->stall_id;
  emit_(std::move(observation));
}

bool Watcher::is_confirmed_stall(const ThreadRecord& record, const WatchedThread& thread,
                                 unsigned place, const SiteView& site,
                                 const std::vector<SiteView>& sites, Nanoseconds age) const {
  const IterationTracker& iteration = *thread.iterations[place];
  const uint64_t end = site.iteration_begin + clock_.ticks(age);
  if (age - not_counted(&iteration, site.iteration_begin, end) - iteration.allowed() <= threshold_)
    return false;
  const LoopChoice choice = choice_of(thread, record);
  const std::vector<SiteView> loops = loops_among(choice, sites, record, threshold_ticks_);
  const bool known = is_among(loops, site);
  // A program that waits once and then works is no loop; one that has been away from its first wait
  // for very long may well be stuck in its first callback.
  if (!known && !(may_become_loop(choice, site) && age >= first_report_age())) {
    return false;
  }
  if (enclosing_loop(site, site.iteration_begin, loops)) return false;
  if (may_have_moved_on(site, view_call(record.call), sites)) return false;
  // Another loop that turns further up the stack: this one has ended and left no sign of it.
  constexpr uint64_t kEstablished = 20;
  const bool superseded = std::any_of(loops.begin(), loops.end(), [&](const SiteView& other) {
    return other.key != site.key && other.stack_pointer < site.stack_pointer &&
           other.iterations >= kEstablished;
  });
  return !superseded && loop_is_open(proc_, thread.pid, site) &&
         !is_worker(segment_, record, site, threshold_ticks_, thread.homes[place].one_connection);
}

StallSeen Watcher::observe(const WatchedThread& thread, const SiteView& site, uint64_t begin_tick,
                           Nanoseconds duration, const IterationTracker* iteration) {
  StallSeen result;
  result.begin = clock_.wall_time(begin_tick);
  result.iteration_id = {thread.index, thread.generation, site.key,
                         iteration ? iteration->begin_tick() : begin_tick};
  result.pid = thread.pid;
  result.tid = thread.tid;
  const ProcessFacts* process = processes_.find(thread.process);
  result.process = process ? process->name : "?";
  result.thread = thread.name;
  result.loop.wait = intercept::kFunctions[static_cast<uint32_t>(site.function)].name;
  result.loop.fd = site.epoll_fd();
  result.duration = duration;
  result.threshold = threshold_;
  result.shares_loop = thread.shares_loop;
  result.modules = sampler_.modules(thread.pid, seconds(1));
  for (const ContributorView& entry : site.contributors) {
    result.contributors.push_back({entry.function, entry.call_site, entry.count,
                                   clock_.duration(entry.total_ticks),
                                   clock_.duration(entry.longest_ticks)});
  }
  result.other_calls = clock_.duration(site.other_ticks);
  if (iteration) {
    result.wait = iteration->wait();
    result.samples = iteration->samples();
    result.spent = iteration->spent(duration);
  }
  add_notes(result, iteration, begin_tick);
  return result;
}

void Watcher::read_ring() {
  while (const auto event = ring_.next()) {
    const bool is_slow_call = event->kind == static_cast<uint32_t>(contract::EventKind::kSlowCall);
    const bool valid = event->record < contract::kThreadCapacity &&
                       (is_slow_call || tracks_iterations(checked_function(event->function))) &&
                       event->end_tick <= clock_.now();
    if (valid && is_slow_call && event->begin_tick < event->end_tick) {
      on_slow_call(*event);
    } else if (valid && event->kind == static_cast<uint32_t>(contract::EventKind::kIteration) &&
               event->begin_tick < event->end_tick) {
      on_iteration(*event);
    } else if (valid && event->kind == static_cast<uint32_t>(contract::EventKind::kPendingEvents)) {
      on_pending_events(*event);
    } else {
      ++corrupt_;
    }
  }
}

void Watcher::on_iteration(const contract::Event& event) {
  ThreadRecord& record = segment_.threads[event.record];
  if (record.generation.load(std::memory_order_acquire) != event.generation) {
    ++corrupt_;
    return;
  }
  WatchedThread* thread = watched(event.record, record);
  if (!thread) return;
  if (loop_names_.any()) read_name(*thread);

  unsigned place = 0;
  while (place < contract::kWaitSites &&
         record.wait_sites[place].key.load(std::memory_order_relaxed) != event.key) {
    ++place;
  }
  if (place == contract::kWaitSites) return;  // has given way to another site since
  auto site = view_site(record.wait_sites[place]);
  if (!site) return;
  site->contributors = view_contributors(event.contributors);
  site->other_ticks = event.other_ticks;

  auto& slot = thread->iterations[place];
  std::optional<IterationTracker> iteration;
  if (slot && slot->begin_tick() == event.begin_tick) iteration = std::exchange(slot, std::nullopt);
  uint64_t reported_id = iteration ? iteration->stall_id : 0;

  const std::vector<SiteView> sites = view_sites(record);
  const LoopChoice choice = choice_of(*thread, record);
  const std::vector<SiteView> loops = loops_among(choice, sites, record, threshold_ticks_);
  const uint64_t begin = latest_begin(*site, event, sites);
  const uint64_t length = event.end_tick - begin;
  const uint64_t allowed = std::min(length, event.allowed_ticks);
  const uint64_t idle =
      begin != event.begin_tick
          ? 0
          : std::min(length - allowed, ticks_in_siblings(*site, site->contributors, sites,
                                                         is_said_to_be_loop(choice)));
  Nanoseconds duration = clock_.duration(length - allowed - idle);
  if (iteration) {
    iteration->look(clock_.duration(event.end_tick - event.begin_tick), clock_.duration(allowed),
                    clock_.duration(clock_.now() - event.end_tick));
  }
  duration -=
      std::min(duration, not_counted(iteration ? &*iteration : nullptr, begin, event.end_tick));
  if (iteration) note_stop(*thread, *iteration);
  if (reported_id == 0) {
    if (!is_among(loops, *site) || duration <= threshold_) return;
    if (enclosing_loop(*site, event.begin_tick, loops)) return;
    if (duration - std::min(duration, already_reported(*thread, event)) <= threshold_) return;
    if (site->is_non_event_wait() && !loop_is_open(proc_, thread->pid, *site)) return;
    if (is_worker(segment_, record, *site, threshold_ticks_, thread->homes[place].one_connection)) {
      return;
    }
    if (const auto other = reported_elsewhere(*thread, event)) {
      reported_id = thread->iterations[*other]->stall_id;
      thread->iterations[*other].reset();
    } else if (thread->has_open_stall()) {
      return;  // it will end, too
    }
  }
  thread->reported_begin = event.begin_tick;
  thread->reported_end = event.end_tick;
  EndedIteration ended;
  ended.event = event;
  ended.observation = observe(*thread, *site, begin, duration, iteration ? &*iteration : nullptr);
  if (thread->runnable_before && thread->runnable_read <= begin) {
    if (const auto times = proc_.schedule_times(thread->pid, thread->tid)) {
      ended.observation.runnable_at_most = times->runnable - *thread->runnable_before;
    }
  }
  note_allowed(ended.observation, clock_.duration(allowed));
  ended.observation.iteration = iteration_name(event.name);
  ended.observation.state = StallState::kEnded;
  ended.observation.id = reported_id != 0 ? reported_id : next_id_++;
  if (ended.observation.samples.empty()) ++unread_stalls_;
  ended_.push_back(std::move(ended));
}

void Watcher::retire_thread(uint32_t index, ThreadRecord& record, Ending ending) {
  const auto known = threads_.find(index);
  if (known == threads_.end() ||
      known->second.generation != record.generation.load(std::memory_order_acquire)) {
    if (ending != Ending::kSession && known == threads_.end()) {
      record.state.store(static_cast<uint32_t>(ThreadState::kFree), std::memory_order_release);
    }
    return;
  }
  WatchedThread& thread = known->second;
  if (thread.unhooked_iteration) end_unhooked(thread, StallState::kUnfinished);
  longest_pause_ticks_ = std::max(longest_pause_ticks_, record.pause_ticks_longest.load());
  for (unsigned place = 0; place < contract::kWaitSites; ++place) {
    const auto site = view_site(record.wait_sites[place]);
    if (!site) continue;
    if (thread.iterations[place]) end_unfinished(thread, *thread.iterations[place], *site, ending);
  }
  for (LoopStatistics& loop : loops_of(thread, record)) {
    if (loops_.size() < kMostLoops) loops_.push_back(std::move(loop));
  }
  threads_.erase(known);
  if (ending != Ending::kSession) {
    record.state.store(static_cast<uint32_t>(ThreadState::kFree), std::memory_order_release);
  }
}

void Watcher::retire_process(uint32_t process, Ending ending) {
  const uint32_t used = threads_used(segment_);
  for (uint32_t index = 0; index < used; ++index) {
    ThreadRecord& record = segment_.threads[index];
    if (record.state.load(std::memory_order_acquire) != static_cast<uint32_t>(ThreadState::kFree) &&
        record.process.load(std::memory_order_relaxed) == process) {
      watched(index, record);  // one that was never looked at counts too
      retire_thread(index, record, ending);
    }
  }
  processes_.free(process);
}

// Threads that ended without telling the recorder (a raw exit, an exec).
void Watcher::reap_exited_threads() {
  std::vector<uint32_t> ended;
  for (const auto& [index, thread] : threads_) {
    if (!proc_.thread_lives(thread.pid, thread.tid)) ended.push_back(index);
  }
  if (ended.empty()) return;
  read_ring();  // their last words come first
  for (const uint32_t index : ended) {
    ThreadRecord& record = segment_.threads[index];
    if (record.state.load() == static_cast<uint32_t>(ThreadState::kLive)) {
      retire_thread(index, record, Ending::kThread);
    } else {
      threads_.erase(index);
    }
  }
}

}  // namespace tailback
