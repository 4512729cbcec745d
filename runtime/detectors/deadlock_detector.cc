#include "runtime/detectors/deadlock_detector.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/locks/owner_chain.h"
#include "runtime/segment/live_threads.h"
#include "runtime/segment/record_view.h"

namespace tailback {

using contract::ThreadRecord;
using intercept::Function;
using std::chrono::milliseconds;

namespace {

// Twice this and the proof make less than a second.
constexpr milliseconds kPause{250};
constexpr milliseconds kLongestPause{400};
constexpr int kShareOfTime = 200;  // a poll's time to the pause after it, at most
constexpr size_t kMostWaiters = 4096;
constexpr size_t kMostThreads = 256;  // of a process any of whose threads may be waited for
constexpr size_t kMostListed = 32;    // threads of a deadlock
constexpr size_t kMostTold = 4096;

bool is_untimed_futex(const CallView& call) {
  if (call.arguments[0] != SYS_futex) return false;
  switch (static_cast<int>(call.arguments[2]) & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
      return call.arguments[4] == 0;
    default:
      return false;
  }
}

// Whether a call waits for another thread or process, without a time limit.
bool is_untimed_wait(const CallView& call) {
  const intercept::FunctionFacts& facts = intercept::facts_of(call.function);
  if (facts.has(intercept::kLocksFile)) return waits_for_file_lock(facts.roles, call.arguments);
  if (call.function == Function::syscall) return is_untimed_futex(call);
  return facts.has(intercept::kUntimed);
}

CallInProgress in_progress(const CallView& call) {
  CallInProgress wait;
  wait.function = call.function;
  wait.arguments = call.arguments;
  return wait;
}

// Whether the kernel has the thread blocked in a call such as its wait makes.
bool is_blocked(ProcSource& proc, const ThreadId& thread, const LockReading& lock) {
  const auto blocked = proc.kernel_call(thread.pid, thread.tid);
  if (!blocked) return false;
  if (lock.kind == LockKind::kFile) {
    return blocked->number == SYS_flock || blocked->number == SYS_fcntl;
  }
  if (blocked->number != SYS_futex) return false;
  // The word that it waits on lies in the lock; of a join, in the thread's own descriptor, and of a
  // stream, in what the stream points to.
  if (lock.kind == LockKind::kThread || lock.kind == LockKind::kStream) return true;
  constexpr uint64_t kLargestLock = 64;
  return blocked->arguments[0] - lock.address.value < kLargestLock;
}

bool is_rwlock_wait(Function function) {
  return intercept::object_is(intercept::facts_of(function), "rwlock");
}

bool is_rest(Function function) {
  const intercept::FunctionFacts& facts = intercept::facts_of(function);
  return intercept::object_is(facts, "cond") || intercept::object_is(facts, "cnd");
}

// Signals whose handlers answer to faults of the thread itself, libc's own, and ours.
constexpr uint64_t signal_bit(int signal) {
  return uint64_t{1} << (signal - 1);
}
constexpr uint64_t kHarmless = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGFPE) |
                               signal_bit(SIGILL) | signal_bit(SIGTRAP) | signal_bit(SIGURG) |
                               signal_bit(32) | signal_bit(33);

Wait::Kind kind_of(LockKind kind) {
  switch (kind) {
    case LockKind::kThread:
    case LockKind::kSemaphore:
    case LockKind::kBarrier:
      return Wait::Kind::kIteration;
    case LockKind::kCondition:
    case LockKind::kFutex:
      return Wait::Kind::kRest;
    default:
      return Wait::Kind::kLock;
  }
}

}  // namespace

DeadlockDetector::DeadlockDetector(DetectorInput& input, Emit emit)
    : input_(input),
      segment_(input.segment()),
      clock_(input.clock()),
      proc_(input.proc()),
      emit_(std::move(emit)),
      interval_(kPause) {}

DeadlockDetector::Waiters DeadlockDetector::waiters() const {
  Waiters found;
  for (const auto [index, record] : live_threads(segment_)) {
    if (found.size() >= kMostWaiters) break;
    if (record.call.function.load(std::memory_order_relaxed) == 0) continue;
    const auto call = view_call(record.call);
    if (!call || !is_untimed_wait(*call)) continue;
    found.push_back(
        {index,
         record.generation.load(std::memory_order_relaxed),
         {record.pid.load(std::memory_order_relaxed), record.tid.load(std::memory_order_relaxed)},
         *call});
  }
  return found;
}

bool DeadlockDetector::still_waits(const Waiter& waiter) const {
  const ThreadRecord& record = segment_.threads[waiter.index];
  const auto call = view_call(record.call);
  return call && call->same_call(waiter.call) &&
         record.generation.load(std::memory_order_acquire) == waiter.generation;
}

std::optional<LockReading> DeadlockDetector::read_wait(const Waiter& waiter) const {
  return input_.sampler().awaited_lock(waiter.thread.pid, in_progress(waiter.call));
}

DeadlockDetector::Surroundings DeadlockDetector::surroundings_of(const Waiters& waiters) const {
  Surroundings surroundings;
  std::map<int, size_t> waiting;
  bool any_reads = false;
  for (const Waiter& waiter : waiters) {
    ++waiting[waiter.thread.pid];
    any_reads = any_reads || is_rwlock_wait(waiter.call.function);
  }
  if (any_reads) surroundings.readers = read_holds(segment_, 0);
  for (const auto& [pid, count] : waiting) {
    if (count > kMostThreads) continue;
    const auto caught = proc_.caught_signals(pid);
    if (!caught || (*caught & ~kHarmless) != 0) continue;
    const std::vector<int> threads = proc_.threads(pid);
    if (threads.size() > count) continue;
    for (const int tid : threads) surroundings.whole_processes[pid].push_back({pid, tid});
  }
  return surroundings;
}

Wait DeadlockDetector::wait_of(const Waiter& waiter, const Surroundings& surroundings) const {
  Wait wait;
  wait.thread = waiter.thread;
  const auto whole = surroundings.whole_processes.find(waiter.thread.pid);
  const bool is_whole = whole != surroundings.whole_processes.end();
  // Threads at rest are many, and mostly somebody else is awake.
  if (!is_whole && is_rest(waiter.call.function)) return wait;
  const auto lock = read_wait(waiter);
  if (!lock) return wait;
  wait.kind = kind_of(lock->kind);
  const bool is_held_by_readers = lock->kind == LockKind::kRwlock && !lock->holders.empty();
  if (is_held_by_readers) {
    for (const ReadHold& held : surroundings.readers) {
      if (held.lock == lock->address && held.thread.pid == waiter.thread.pid) {
        wait.blockers.push_back({{held.thread}});
      }
    }
    if (!wait.blockers.empty()) return wait;
  }
  if (lock->kind == LockKind::kSemaphore) {
    const auto taker = semaphore_taker(segment_, waiter.thread.pid, lock->address);
    if (taker && taker->is_owner) {
      wait.kind = Wait::Kind::kLock;
      wait.blockers.push_back({{{waiter.thread.pid, taker->tid}}});
      return wait;
    }
  }
  if (const auto owner = find_owner(proc_, waiter.thread.pid, *lock)) {
    if (owner->is_lost) {
      wait.blockers.push_back({});
    } else if (owner->tid > 0) {
      wait.blockers.push_back({{{owner->pid, owner->tid}}});
    } else {
      Blocker process;
      for (const int tid : proc_.threads(owner->pid)) process.threads.push_back({owner->pid, tid});
      if (!process.threads.empty()) wait.blockers.push_back(std::move(process));
    }
    if (lock->kind == LockKind::kFutex) wait.kind = Wait::Kind::kLock;
    return wait;
  }
  // What any thread of the process may end: if none of the others ever will, nobody does.
  const bool has_no_owner = lock->kind == LockKind::kSemaphore ||
                            lock->kind == LockKind::kBarrier ||
                            lock->kind == LockKind::kCondition || lock->kind == LockKind::kFutex;
  if (is_whole && !lock->between_processes && (is_held_by_readers || has_no_owner)) {
    Blocker others;
    for (const ThreadId& thread : whole->second) {
      if (is_held_by_readers || thread != waiter.thread) others.threads.push_back(thread);
    }
    if (!others.threads.empty()) wait.blockers.push_back(std::move(others));
  }
  return wait;
}

std::vector<DeadlockedSet> DeadlockDetector::deadlocked_sets_of(const Waiters& waiters) const {
  std::vector<Wait> waits;
  waits.reserve(waiters.size());
  const Surroundings surroundings = surroundings_of(waiters);
  for (const Waiter& waiter : waiters) waits.push_back(wait_of(waiter, surroundings));
  return find_deadlocked_sets(waits);
}

std::optional<DeadlockedSet> DeadlockDetector::prove(const Waiters& members,
                                                     size_t in_cycle) const {
  std::vector<std::optional<uint64_t>> switches;
  for (const Waiter& member : members) {
    const auto lock = read_wait(member);
    const bool stands = lock && is_blocked(proc_, member.thread, *lock);
    switches.push_back(stands ? proc_.voluntary_switches(member.thread.pid, member.thread.tid)
                              : std::nullopt);
  }
  const auto has_stood = [&](size_t i) {
    return switches[i] && still_waits(members[i]) &&
           proc_.voluntary_switches(members[i].thread.pid, members[i].thread.tid) == switches[i];
  };
  std::vector<DeadlockedSet> deadlocked_sets = deadlocked_sets_of(members);
  for (DeadlockedSet& deadlocked_set : deadlocked_sets) {
    if (deadlocked_set.cycle.size() != in_cycle || deadlocked_set.cycle.front() >= in_cycle)
      continue;
    if (!std::all_of(deadlocked_set.cycle.begin(), deadlocked_set.cycle.end(), has_stood))
      return std::nullopt;
    // Those that the same lost owner keeps waiting are deadlocked_sets of their own.
    for (const DeadlockedSet& other : deadlocked_sets) {
      if (other.cycle.front() >= in_cycle) {
        deadlocked_set.behind.insert(deadlocked_set.behind.end(), other.cycle.begin(),
                                     other.cycle.end());
      }
    }
    std::erase_if(deadlocked_set.behind, [&](size_t i) { return !has_stood(i); });
    return deadlocked_set;
  }
  return std::nullopt;
}

DeadlockDetector::Key DeadlockDetector::key_of(const Waiters& waiters,
                                               const DeadlockedSet& deadlocked_set) {
  Key key;
  for (const size_t i : deadlocked_set.cycle)
    key.emplace_back(waiters[i].index, waiters[i].call.entered);
  std::sort(key.begin(), key.end());
  return key;
}

// Threads that wait for one lock whose owner is lost are told together.
void DeadlockDetector::join_lost(const Waiters& waiters,
                                 std::vector<DeadlockedSet>& deadlocked_sets) const {
  std::map<std::pair<int, uint64_t>, DeadlockedSet> by_lock;
  std::vector<DeadlockedSet> rest;
  for (DeadlockedSet& deadlocked_set : deadlocked_sets) {
    const Waiter& first = waiters[deadlocked_set.cycle.front()];
    const auto lock = deadlocked_set.cycle.size() == 1 ? read_wait(first) : std::nullopt;
    const auto owner = lock ? find_owner(proc_, first.thread.pid, *lock) : std::nullopt;
    if (!owner || !owner->is_lost) {
      rest.push_back(std::move(deadlocked_set));
      continue;
    }
    const auto [known, is_first] =
        by_lock.emplace(std::make_pair(first.thread.pid, lock->address.value), deadlocked_set);
    if (is_first) continue;
    std::vector<size_t>& behind = known->second.behind;
    behind.push_back(deadlocked_set.cycle.front());
    behind.insert(behind.end(), deadlocked_set.behind.begin(), deadlocked_set.behind.end());
  }
  for (auto& [lock, deadlocked_set] : by_lock) rest.push_back(std::move(deadlocked_set));
  deadlocked_sets = std::move(rest);
}

DeadlockSeen DeadlockDetector::observe(const Waiters& members, const DeadlockedSet& deadlocked_set,
                                       uint64_t more_blocked) {
  DeadlockSeen deadlock;
  deadlock.id = next_id_++;
  deadlock.time = clock_.wall_time(clock_.now());
  deadlock.more_blocked = more_blocked;
  std::vector<size_t> order = deadlocked_set.cycle;
  order.insert(order.end(), deadlocked_set.behind.begin(), deadlocked_set.behind.end());
  uint64_t closed = 0;
  const Surroundings surroundings = surroundings_of(members);
  for (const size_t member : order) {
    const Waiter& waiter = members[member];
    DeadlockedThreadSample look;
    look.pid = waiter.thread.pid;
    look.tid = waiter.thread.tid;
    look.process = proc_.comm(look.pid, look.pid).value_or("?");
    look.thread = proc_.comm(look.pid, look.tid).value_or("?");
    look.in_cycle = std::find(deadlocked_set.cycle.begin(), deadlocked_set.cycle.end(), member) !=
                    deadlocked_set.cycle.end();
    look.wants = read_wait(waiter).value_or(LockReading{});
    look.sample = sample_thread(input_, look.pid, look.tid);
    const Wait wait = wait_of(waiter, surroundings);
    look.holders_known =
        wait.kind == Wait::Kind::kLock &&
        std::all_of(wait.blockers.begin(), wait.blockers.end(),
                    [](const Blocker& blocker) { return blocker.threads.size() == 1; });
    for (const Blocker& blocker : wait.blockers) {
      if (blocker.threads.empty()) look.waits_for_nobody = true;
      for (size_t i = 0; i < order.size(); ++i) {
        const ThreadId& other = members[order[i]].thread;
        if (std::find(blocker.threads.begin(), blocker.threads.end(), other) !=
            blocker.threads.end()) {
          look.waits_for.push_back(i);
        }
      }
    }
    // Waits for locks are timed, others need not be.
    const bool is_timed =
        intercept::kFunctions[static_cast<uint32_t>(waiter.call.function)].family ==
        intercept::Family::kLock;
    if (is_timed && look.in_cycle) closed = std::max(closed, waiter.call.entered);
    deadlock.threads.push_back(std::move(look));
  }
  const uint64_t now = clock_.now();
  if (closed != 0 && closed < now) deadlock.held = clock_.duration(now - closed);
  const DeadlockedThreadSample& first = deadlock.threads.front();
  if (deadlocked_set.cycle.size() == 1) {
    deadlock.kind = first.waits_for_nobody ? DeadlockKind::kLostOwner : DeadlockKind::kSelf;
  }
  return deadlock;
}

DeadlockDetector::Waiters DeadlockDetector::stayed(Waiters now) {
  Waiters stayed;
  size_t at = 0;  // both are in the order of the records
  for (const Waiter& waiter : now) {
    while (at < last_.size() && last_[at].index < waiter.index) ++at;
    if (at < last_.size() && last_[at].same_wait(waiter)) stayed.push_back(waiter);
  }
  last_ = std::move(now);
  return stayed;
}

void DeadlockDetector::consider(const Waiters& waiters, DeadlockedSet deadlocked_set) {
  if (reported_.contains(key_of(waiters, deadlocked_set))) return;
  const size_t in_cycle = deadlocked_set.cycle.size();
  std::vector<size_t>& behind = deadlocked_set.behind;
  uint64_t more_blocked = 0;
  if (in_cycle + behind.size() > kMostListed) {
    const size_t listed = std::min(kMostListed - std::min(kMostListed, in_cycle), behind.size());
    more_blocked = behind.size() - listed;
    behind.resize(listed);
  }
  Waiters members;
  for (const size_t i : deadlocked_set.cycle) members.push_back(waiters[i]);
  for (const size_t i : behind) members.push_back(waiters[i]);
  const auto proven = prove(members, in_cycle);
  if (!proven) return;
  if (reported_.size() >= kMostTold) reported_.clear();
  reported_.insert(key_of(members, *proven));
  emit_(observe(members, *proven, more_blocked));
}

void DeadlockDetector::poll() {
  const uint64_t begin = clock_.now();
  const Waiters waiting = stayed(waiters());
  if (!waiting.empty()) {
    std::vector<DeadlockedSet> deadlocked_sets = deadlocked_sets_of(waiting);
    join_lost(waiting, deadlocked_sets);
    for (DeadlockedSet& deadlocked_set : deadlocked_sets) {
      consider(waiting, std::move(deadlocked_set));
    }
  }
  const Nanoseconds took = clock_.duration(clock_.now() - begin);
  interval_ = std::clamp<Nanoseconds>(took * kShareOfTime, kPause, kLongestPause);
}

}  // namespace tailback
