#include "runtime/watch/deadlock_watch.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/explain/call_description.h"
#include "runtime/kernel/kernel_view.h"
#include "runtime/watch/owner_chain.h"
#include "runtime/watch/record_view.h"

namespace tailback {

using contract::ThreadRecord;
using contract::ThreadState;
using intercept::Function;
using std::chrono::milliseconds;

namespace {

// Twice this and the proof make less than a second.
constexpr milliseconds kPause{250};
constexpr milliseconds kLongestPause{400};
constexpr int kShareOfTime = 200;  // a look's time to the pause after it, at most
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

// Whether a call waits for another thread or process, and for as long as it takes.
bool is_untimed_wait(const CallView& call) {
  const auto command = static_cast<int>(call.arguments[1]);
  switch (call.function) {
    case Function::pthread_mutex_lock:
    case Function::__pthread_mutex_lock:
    case Function::pthread_rwlock_rdlock:
    case Function::__pthread_rwlock_rdlock:
    case Function::pthread_rwlock_wrlock:
    case Function::__pthread_rwlock_wrlock:
    case Function::mtx_lock:
    case Function::sem_wait:
    case Function::pthread_join:
    case Function::thrd_join:
    case Function::pthread_barrier_wait:
    case Function::pthread_cond_wait:
    case Function::cnd_wait:
    case Function::flockfile:
    case Function::_IO_flockfile:
      return true;
    case Function::flock:
      return (command & LOCK_NB) == 0;
    case Function::lockf:
    case Function::lockf64:
      return command == F_LOCK;
    case Function::fcntl:
    case Function::fcntl64:
    case Function::__fcntl:
      return command == F_SETLKW || command == F_OFD_SETLKW;
    case Function::syscall:
      return is_untimed_futex(call);
    default:
      return false;
  }
}

CallInProgress in_progress(const CallView& call) {
  CallInProgress wait;
  wait.function = call.function;
  wait.arguments = call.arguments;
  return wait;
}

// Whether the kernel has the thread blocked in a call such as its wait makes.
bool is_blocked(const ThreadId& thread, const LockReading& lock) {
  const auto blocked = read_kernel_call(thread.pid, thread.tid);
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
      return Wait::Kind::kTurn;
    case LockKind::kCondition:
    case LockKind::kFutex:
      return Wait::Kind::kRest;
    default:
      return Wait::Kind::kLock;
  }
}

}  // namespace

DeadlockWatch::Waiters DeadlockWatch::waiters() const {
  Waiters found;
  const uint32_t used = threads_used(segment_);
  for (uint32_t index = 0; index < used && found.size() < kMostWaiters; ++index) {
    const ThreadRecord& record = segment_.threads[index];
    if (record.state.load(std::memory_order_acquire) != static_cast<uint32_t>(ThreadState::kLive)) {
      continue;
    }
    if (record.call.function.load(std::memory_order_relaxed) == 0) continue;
    const auto call = view_call(record.call);
    if (!call || !is_untimed_wait(*call)) continue;
    found.push_back({index,
                     record.generation.load(std::memory_order_relaxed),
                     {record.pid.load(std::memory_order_relaxed),
                      record.tid.load(std::memory_order_relaxed)},
                     *call});
  }
  return found;
}

bool DeadlockWatch::still_waits(const Waiter& waiter) const {
  const ThreadRecord& record = segment_.threads[waiter.index];
  const auto call = view_call(record.call);
  return call && call->same_call(waiter.call) &&
         record.generation.load(std::memory_order_acquire) == waiter.generation;
}

std::optional<LockReading> DeadlockWatch::read_wait(const Waiter& waiter) const {
  return read_awaited_lock(waiter.thread.pid, in_progress(waiter.call));
}

// For what any thread of the process may end: if none of the others ever will, nobody does. Not if
// a signal may run a handler in one of them.
std::vector<Blocker> DeadlockWatch::everybody_else(const ThreadId& thread, bool with_itself) const {
  const auto caught = read_caught_signals(thread.pid);
  if (!caught || (*caught & ~kHarmless) != 0) return {};
  Blocker all;
  for (const int tid : read_threads(thread.pid)) {
    if (tid != thread.tid || with_itself) all.threads.push_back({thread.pid, tid});
  }
  if (all.threads.empty() || all.threads.size() > kMostThreads) return {};
  return {std::move(all)};
}

Wait DeadlockWatch::wait_of(const Waiter& waiter) const {
  Wait wait;
  wait.thread = waiter.thread;
  const auto lock = read_wait(waiter);
  if (!lock) return wait;
  wait.kind = kind_of(lock->kind);
  if (const auto owner = find_owner(waiter.thread.pid, *lock)) {
    if (owner->is_lost) {
      wait.blockers.push_back({});
    } else if (owner->tid > 0) {
      wait.blockers.push_back({{{owner->pid, owner->tid}}});
    } else {
      Blocker process;
      for (const int tid : read_threads(owner->pid)) process.threads.push_back({owner->pid, tid});
      if (!process.threads.empty()) wait.blockers.push_back(std::move(process));
    }
    if (lock->kind == LockKind::kFutex) wait.kind = Wait::Kind::kLock;
    return wait;
  }
  const bool is_held_by_readers = lock->kind == LockKind::kRwlock && !lock->holders.empty();
  const bool has_no_owner =
      lock->kind == LockKind::kSemaphore || lock->kind == LockKind::kBarrier ||
      lock->kind == LockKind::kCondition || lock->kind == LockKind::kFutex;
  if (!lock->between_processes && (is_held_by_readers || has_no_owner)) {
    wait.blockers = everybody_else(waiter.thread, is_held_by_readers);
  }
  return wait;
}

std::vector<Knot> DeadlockWatch::knots_of(const Waiters& waiters) const {
  std::vector<Wait> waits;
  waits.reserve(waiters.size());
  for (const Waiter& waiter : waiters) waits.push_back(wait_of(waiter));
  return find_knots(waits);
}

std::optional<Knot> DeadlockWatch::prove(Waiters& members) const {
  std::vector<uint64_t> switches;
  for (const Waiter& member : members) {
    const auto lock = read_wait(member);
    const auto count = read_voluntary_switches(member.thread.pid, member.thread.tid);
    if (!lock || !count || !is_blocked(member.thread, *lock)) return std::nullopt;
    switches.push_back(*count);
  }
  const std::vector<Knot> knots = knots_of(members);
  if (knots.size() != 1 || knots[0].cycle.size() + knots[0].behind.size() != members.size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < members.size(); ++i) {
    const ThreadId& thread = members[i].thread;
    if (!still_waits(members[i]) ||
        read_voluntary_switches(thread.pid, thread.tid) != switches[i]) {
      return std::nullopt;
    }
  }
  return knots[0];
}

bool DeadlockWatch::is_new(const Waiters& waiters, const Knot& knot) {
  Key key;
  for (const size_t i : knot.cycle) key.emplace_back(waiters[i].index, waiters[i].call.entered);
  std::sort(key.begin(), key.end());
  if (told_.size() >= kMostTold) told_.clear();
  return told_.insert(std::move(key)).second;
}

DeadlockObservation DeadlockWatch::observe(const Waiters& members, const Knot& knot,
                                           uint64_t more_blocked) {
  DeadlockObservation deadlock;
  deadlock.id = next_id_++;
  deadlock.time = std::chrono::system_clock::now();
  deadlock.more_blocked = more_blocked;
  std::vector<size_t> order = knot.cycle;
  order.insert(order.end(), knot.behind.begin(), knot.behind.end());
  uint64_t closed = 0;
  for (const size_t member : order) {
    const Waiter& waiter = members[member];
    DeadlockedLook look;
    look.pid = waiter.thread.pid;
    look.tid = waiter.thread.tid;
    look.process = read_comm(look.pid, look.pid).value_or("?");
    look.thread = read_comm(look.pid, look.tid).value_or("?");
    look.in_cycle = std::find(knot.cycle.begin(), knot.cycle.end(), member) != knot.cycle.end();
    look.wants = read_wait(waiter).value_or(LockReading{});
    look.sample = look_at(segment_, processes_, look.pid, look.tid);
    const Wait wait = wait_of(waiter);
    look.kind = wait.kind;
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
    const bool is_timed = intercept::kFunctions[static_cast<uint32_t>(waiter.call.function)].family ==
                          intercept::Family::kLock;
    if (is_timed && look.in_cycle) closed = std::max(closed, waiter.call.entered);
    deadlock.threads.push_back(std::move(look));
  }
  const uint64_t now = clock_.now();
  if (closed != 0 && closed < now) deadlock.held = clock_.duration(now - closed);
  const DeadlockedLook& first = deadlock.threads.front();
  if (knot.cycle.size() == 1) {
    deadlock.kind = first.waits_for_nobody ? DeadlockKind::kLostOwner : DeadlockKind::kSelf;
  }
  return deadlock;
}

std::vector<DeadlockObservation> DeadlockWatch::look() {
  const uint64_t begin = clock_.now();
  if (begin < next_look_) return {};
  Waiters now = waiters();
  Waiters stayed;
  size_t at = 0;  // both are in the order of the records
  for (const Waiter& waiter : now) {
    while (at < last_.size() && last_[at].index < waiter.index) ++at;
    if (at < last_.size() && last_[at].same_wait(waiter)) stayed.push_back(waiter);
  }
  last_ = std::move(now);

  std::vector<DeadlockObservation> found;
  if (!stayed.empty()) {
    std::vector<Knot> knots = knots_of(stayed);
    for (Knot& knot : knots) {
      Key key;
      for (const size_t i : knot.cycle) key.emplace_back(stayed[i].index, stayed[i].call.entered);
      std::sort(key.begin(), key.end());
      if (told_.contains(key)) continue;
      uint64_t more_blocked = 0;
      if (knot.cycle.size() + knot.behind.size() > kMostListed) {
        const size_t listed = kMostListed - std::min(kMostListed, knot.cycle.size());
        more_blocked = knot.behind.size() - std::min(listed, knot.behind.size());
        knot.behind.resize(std::min(listed, knot.behind.size()));
      }
      Waiters members;
      for (const size_t i : knot.cycle) members.push_back(stayed[i]);
      for (const size_t i : knot.behind) members.push_back(stayed[i]);
      const auto proven = prove(members);
      if (proven && is_new(members, *proven)) {
        found.push_back(observe(members, *proven, more_blocked));
      }
    }
  }
  const Nanoseconds took = clock_.duration(clock_.now() - begin);
  next_look_ = clock_.now() + clock_.ticks(std::clamp<Nanoseconds>(took * kShareOfTime, kPause,
                                                                   kLongestPause));
  return found;
}

}  // namespace tailback
