#include "runtime/advise/program_watch.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "runtime/advise/activity.h"
#include "runtime/advise/program_kind.h"
#include "runtime/advise/stack_memory.h"
#include "runtime/loops/loop_model.h"
#include "runtime/loops/workers.h"
#include "runtime/segment/live_threads.h"

namespace tailback {

using contract::ThreadRecord;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// Odd, so that programs which work to the beat of a clock are not met at the same place each time.
constexpr milliseconds kInterval{9};
constexpr unsigned kMostDuty = 8;  // a look is followed by a pause of at least so many times it
constexpr unsigned kSeldom = 10;   // looks, between two of what changes seldom
constexpr size_t kMostUnrecorded = 64;
constexpr uint64_t kManyThreads = 32;  // of which some may run at any look
constexpr uint64_t kFewThreads = 4;    // whose stacks nobody asks for
constexpr size_t kMostKept = 65536;    // of what a program could have without end

bool is_trouble_of_loop(Activity activity) {
  return is_operation(activity) || activity == Activity::kLock || activity == Activity::kProcess;
}

// Events that an epoll instance is asked for: those of descriptors that stand for an operation.
uint64_t registered(int pid, int fd) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/fdinfo/" + std::to_string(fd));
  uint64_t count = 0;
  for (std::string line; std::getline(file, line);) count += line.starts_with("tfd:");
  return count;
}

}  // namespace

ProgramWatch::ProgramWatch(const Session& session, Nanoseconds threshold)
    : segment_(session.segment()),
      clock_(session.segment().header.tick_source),
      threshold_ticks_(clock_.ticks(threshold)),
      lives_(session.segment(), clock_) {}

ProgramWatch::~ProgramWatch() {
  if (thread_.joinable()) stop();
}

void ProgramWatch::start() {
  thread_ = std::thread([this] { run(); });
}

void ProgramWatch::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  thread_.join();
}

void ProgramWatch::run() {
  // Looks should come when they are due, also on a busy machine; both are refused to some.
  prctl(PR_SET_TIMERSLACK, 1000);
  setpriority(PRIO_PROCESS, 0, -10);
  auto last = steady_clock::now();
  while (!stopping_.load()) {
    const auto begin = steady_clock::now();
    // Nothing that a target does may end the observer.
    try {
      look(begin - last);
    } catch (const std::exception&) {
      measured_.incomplete = true;
    }
    last = begin;
    const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
    lives_.wait(std::max(kInterval, took * kMostDuty));
  }
  lives_.look();
  for (const auto& [index, thread] : threads_) retire(thread);
  for (const auto& [ids, thread] : unrecorded_) retire(thread);
}

void ProgramWatch::look(Nanoseconds time) {
  lives_.look();
  if (lives_.living().empty()) return;
  ++polls_;
  measured_.duration += time;
  ProgramClock::Look found;
  wanted_ = {};
  for (auto& [pid, process] : processes_) process.threads = 0;
  for (const auto thread : live_threads(segment_)) poll_record(thread.index, time, found);
  for (auto& [pid, process] : processes_) {
    for (const int tid : process.unrecorded) poll_unrecorded(pid, tid, time, found);
  }
  const auto has_ended = [&](const auto& entry) {
    if (entry.second.seen == polls_) return false;
    retire(entry.second);
    return true;
  };
  std::erase_if(threads_, has_ended);
  std::erase_if(unrecorded_, has_ended);
  uint64_t threads = 0;
  for (auto& [pid, process] : processes_) {
    threads += process.threads;
    if (process.threads > 0) process.life += time;
  }
  measured_.most_threads = std::max(measured_.most_threads, threads);
  if (threads > kManyThreads && time > Nanoseconds::zero()) {
    found.computing_share =
        static_cast<double>(wanted_.count()) / static_cast<double>(time.count());
  }
  program_.look(time, found);
  if (polls_ % kSeldom == 1) poll_processes();
}

// A thread that gets a new record (its process executes another program) goes on with its counters.
ScheduleTimes ProgramWatch::reading_before(int tid, const ScheduleTimes& now) const {
  const auto last = last_readings_.find(tid);
  if (last == last_readings_.end() || last->second.on_cpu > now.on_cpu) return {};
  return last->second;
}

void ProgramWatch::poll_record(uint32_t index, Nanoseconds time, ProgramClock::Look& found) {
  const ThreadRecord& record = segment_.threads[index];
  Nanoseconds lived = time;
  const uint32_t generation = record.generation.load(std::memory_order_acquire);
  auto known = threads_.find(index);
  if (known != threads_.end() && known->second.generation != generation) {
    retire(known->second);
    threads_.erase(known);
    known = threads_.end();
  }
  if (known == threads_.end()) {
    Thread thread;
    thread.generation = generation;
    thread.pid = record.pid.load(std::memory_order_relaxed);
    thread.tid = record.tid.load(std::memory_order_relaxed);
    const auto times = read_schedule_times(thread.pid, thread.tid);
    if (thread.pid <= 0 || thread.tid <= 0 || !times) return;
    thread.clock.emplace(reading_before(thread.tid, *times));
    ++measured_.threads_seen;
    known = threads_.emplace(index, std::move(thread)).first;
    forget_unrecorded(known->second.pid, known->second.tid);
    // It need not have been there since the last look.
    const uint64_t now = clock_.now();
    lived = std::min(time, clock_.duration(now - std::min(now, record.attached)));
  }
  Thread& thread = known->second;
  const auto call = view_call(record.call);
  const bool same = call && thread.activity && call->same_call(thread.call);
  if (same && thread.activity != Activity::kUnknown) {
    thread.seen = polls_;
    account(thread, time, thread.activity, false, found);
    // Most waits are over before the next look; of one that lasts more is asked.
    if (thread.activity == Activity::kEvents && !thread.counted) poll_loop(record, thread);
    return;
  }
  const auto times = read_schedule_times(thread.pid, thread.tid);
  if (!times) return;  // it has ended
  thread.seen = polls_;
  thread.call = call.value_or(CallView{});
  thread.counted = false;
  thread.stack_pointer = thread.call.context.stack_pointer;
  const auto blocked = activity(record, thread, call);
  take(thread, *times);
  account(thread, lived, blocked, true, found);
  if (blocked == Activity::kEvents) poll_loop(record, thread);
}

void ProgramWatch::take(Thread& thread, const ScheduleTimes& times) {
  const ScheduleTimes& before = thread.clock->last();
  wanted_ += times.on_cpu - before.on_cpu + times.runnable - before.runnable;
  thread.clock->look(Nanoseconds::zero(), {}, times);
}

void ProgramWatch::account(Thread& thread, Nanoseconds time, std::optional<Activity> activity,
                           bool is_new, ProgramClock::Look& found) {
  ++processes_[thread.pid].threads;
  if (thread.is_loop && activity && is_trouble_of_loop(*activity)) {
    measured_.blocked_loops += time;
    loop_calls_[thread.call.function] += time;
  }
  thread.clock->look(time, activity, {});
  thread.activity = activity;
  if (!activity) {
    ++found.computing;
  } else if (*activity == Activity::kGil) {
    ++found.computing;  // whoever has it, or is about to
  } else if (*activity == Activity::kLock) {
    ++found.locked;
  } else if (is_operation(*activity)) {
    ++found.operations;
    if (is_new) program_.count_operation();
  }
}

std::optional<Activity> ProgramWatch::activity(const ThreadRecord& record, Thread& thread,
                                               const std::optional<CallView>& call) {
  if (!call || is_open_ended(call->function)) return activity_in_kernel(thread);
  if (waits_for_interpreter(thread, *call)) return Activity::kGil;
  const Activity in_call = activity_of(segment_, record, *call, threshold_ticks_);
  // A call that computes, or copies: not one that waits.
  if (is_operation(in_call)) {
    const auto stat = read_thread_stat(thread.pid, thread.tid);
    if (stat && stat->state == 'R') return std::nullopt;
  }
  return in_call;
}

std::optional<Activity> ProgramWatch::activity_in_kernel(Thread& thread) {
  const auto stat = read_thread_stat(thread.pid, thread.tid);
  if (!stat || stat->state == 'R') return std::nullopt;
  const auto blocked = read_kernel_call(thread.pid, thread.tid);
  if (!blocked) return std::nullopt;  // it runs by now
  if (blocked->number < 0) return Activity::kPageFault;
  thread.stack_pointer = blocked->stack_pointer;
  CallInProgress call;
  call.system_call = blocked->number;
  call.arguments = blocked->arguments;
  return activity_of(describe_call(thread.pid, call));
}

bool ProgramWatch::waits_for_interpreter(const Thread& thread, const CallView& call) {
  const auto family = intercept::kFunctions[static_cast<uint32_t>(call.function)].family;
  if (family != intercept::Family::kWait) return false;
  Process& process = processes_[thread.pid];
  if (process.interpreter == "none" || !process.modules) return false;
  const std::pair key(thread.pid, call.arguments[0]);
  if (const auto known = conditions_.find(key); known != conditions_.end()) return known->second;
  interpreters_.prepare(thread.pid, thread.tid, process.modules);
  const RemoteAddress condition(call.arguments[0]);
  const bool is_lock =
      interpreters_.interpreter_lock(thread.pid, thread.tid, condition).has_value();
  if (conditions_.size() >= kMostKept) conditions_.clear();
  return conditions_[key] = is_lock;
}

void ProgramWatch::poll_loop(const ThreadRecord& record, Thread& thread) {
  const auto sites = view_sites(record);
  const auto loops = loops_among(sites, record, threshold_ticks_);
  const bool is_loop = std::any_of(loops.begin(), loops.end(), [&](const SiteView& site) {
    return !is_worker(segment_, record, site, threshold_ticks_);
  });
  if (is_loop && !thread.is_loop) {
    thread.is_loop = true;
    ++measured_.loops;
  }
  if (polls_ % kSeldom != 0 && measured_.descriptors != 0) return;
  thread.counted = true;
  uint64_t descriptors = 0;
  for (const SiteView& site : loops) {
    if (site.is_epoll()) descriptors += registered(thread.pid, site.epoll_fd());
  }
  measured_.descriptors = std::max(measured_.descriptors, descriptors);
}

// It has got a record since it was found, and is the same thread.
void ProgramWatch::forget_unrecorded(int pid, int tid) {
  const auto process = processes_.find(pid);
  if (process == processes_.end() || process->second.unrecorded.erase(tid) == 0) return;
  if (unrecorded_.erase({pid, tid}) > 0) --measured_.threads_seen;
}

void ProgramWatch::poll_unrecorded(int pid, int tid, Nanoseconds time, ProgramClock::Look& found) {
  const auto times = read_schedule_times(pid, tid);
  if (!times) return;
  const auto [place, is_new] = unrecorded_.try_emplace({pid, tid});
  Thread& thread = place->second;
  if (is_new) {
    thread.pid = pid;
    thread.tid = tid;
    thread.clock.emplace(reading_before(tid, *times));
    ++measured_.threads_seen;
  }
  thread.seen = polls_;
  take(thread, *times);
  const auto blocked = activity_in_kernel(thread);
  const bool is_other = blocked != thread.activity;
  account(thread, is_new ? Nanoseconds::zero() : time, blocked, is_other, found);
}

void ProgramWatch::poll_processes() {
  const std::vector<int> living = lives_.living();
  for (auto& [pid, process] : processes_) {
    if (std::find(living.begin(), living.end(), pid) != living.end()) continue;
    interpreters_.forget(pid);
    process.unrecorded.clear();
    process.modules.reset();
  }
  if (processes_.size() > kMostKept) {
    std::erase_if(processes_, [](const auto& entry) { return !entry.second.modules; });
  }
  std::set<int> recorded;
  for (const auto& [index, thread] : threads_) recorded.insert(thread.tid);
  uint64_t resident = 0;
  for (const int pid : living) {
    Process& process = processes_[pid];
    if (!quota_) {
      quota_.emplace(pid);
      measured_.cpus = cpus_of(pid);
    }
    process.unrecorded.clear();
    for (const int tid : read_threads(pid)) {
      if (!recorded.contains(tid) && process.unrecorded.size() < kMostUnrecorded) {
        process.unrecorded.insert(tid);
      }
    }
    const auto executable = read_executable(pid);
    if (!process.modules || executable != process.executable) {
      process.executable = executable;
      if (auto modules = ModuleMap::read(pid)) {
        process.modules = std::make_shared<const ModuleMap>(std::move(*modules));
        process.interpreter = interpreter_of(*process.modules);
      }
    }
    resident += read_resident_bytes(pid);
    poll_stacks(pid, process);
  }
  measured_.resident_bytes = std::max(measured_.resident_bytes, resident);
  if (quota_) measured_.throttled = quota_->throttled().value_or(measured_.throttled);
}

// Once, and again only when there are twice as many: it is a long text that the kernel writes.
void ProgramWatch::poll_stacks(int pid, Process& process) {
  if (process.threads < std::max(kFewThreads, process.measured_threads * 2)) return;
  process.measured_threads = process.threads;
  std::vector<uint64_t> stack_pointers;
  for (const auto& [index, thread] : threads_) {
    if (thread.pid == pid && thread.stack_pointer != 0 && thread.tid != pid) {
      stack_pointers.push_back(thread.stack_pointer);
    }
  }
  const StackMemory memory = read_stack_memory(pid, std::move(stack_pointers));
  if (memory.threads <= measured_.stack_threads) return;
  measured_.stack_threads = memory.threads;
  measured_.stack_bytes = memory.bytes / memory.threads;
}

void ProgramWatch::retire(const Thread& thread) {
  const ThreadTime spent = thread.clock->spent();
  add(measured_.threads, spent);
  processes_[thread.pid].on_cpu += spent.on_cpu;
  if (on_cpu_of_threads_.size() < kMostKept) on_cpu_of_threads_.push_back(spent.on_cpu);
  if (last_readings_.size() >= kMostKept) last_readings_.clear();
  last_readings_[thread.tid] = thread.clock->last();
}

Measurement ProgramWatch::measured() const {
  Measurement all = measured_;
  all.samples = program_.looks();
  all.program = program_.time();
  all.in_flight = program_.in_flight();
  all.spawning = lives_.spawning();
  all.processes_seen = lives_.seen();
  const Nanoseconds twentieth = all.threads.on_cpu / 20;
  all.computing_threads =
      static_cast<uint64_t>(std::count_if(on_cpu_of_threads_.begin(), on_cpu_of_threads_.end(),
                                          [&](Nanoseconds time) { return time > twentieth; }));
  Nanoseconds longest{};
  for (const auto& [function, time] : loop_calls_) {
    if (time <= longest) continue;
    longest = time;
    all.loop_call = intercept::kFunctions[static_cast<uint32_t>(function)].name;
  }
  Nanoseconds most{};
  for (const auto& [pid, process] : processes_) {
    if (process.on_cpu > twentieth && process.life > kShortLife) ++all.computing_processes;
    if (process.on_cpu > most) {
      most = process.on_cpu;
      all.interpreter = process.interpreter;
    }
  }
  return all;
}

}  // namespace tailback
