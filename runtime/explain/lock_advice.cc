#include "runtime/explain/lock_advice.h"

#include <fmt/format.h>

#include <algorithm>

namespace tailback {

namespace {

std::string place(const LockOwner& owner) {
  if (owner.culprit >= owner.stack.size()) return {};
  const Frame& frame = owner.stack[owner.culprit];
  // Names of C++ functions may fill lines.
  if (!frame.file.empty()) return fmt::format(" at {}:{}", file_name(frame.file), frame.line);
  return frame.function.empty() ? std::string() : " in " + frame.function;
}

bool all_want(const Deadlock& deadlock, LockKind kind) {
  return std::all_of(
      deadlock.threads.begin(), deadlock.threads.end(),
      [&](const DeadlockedThread& one) { return !one.in_cycle || one.wants.kind == kind; });
}

bool any_wants(const Deadlock& deadlock, LockKind kind) {
  return std::any_of(
      deadlock.threads.begin(), deadlock.threads.end(),
      [&](const DeadlockedThread& one) { return one.in_cycle && one.wants.kind == kind; });
}

std::string name_of(const OrderedLock& lock) {
  return lock.name.empty() ? fmt::format("{:#x}", lock.address) : lock.name;
}

}  // namespace

std::string lock_advice(const Stall& stall) {
  const bool waits_for_lock =
      stall.cause == Cause::kLock || (stall.lock && stall.lock->kind == LockKind::kFile);
  if (!waits_for_lock || stall.owners.empty()) return {};
  // The last of the chain is the one that keeps all others waiting.
  const LockOwner& last = stall.owners.back();
  const std::string where = place(last);
  switch (last.state) {
    case OwnerState::kBlocked:
      if (!last.call) return {};
      return fmt::format(
          "move the {} out of the critical section of {}{}, or hand the work to the "
          "thread that owns the data",
          last.call->function == "futex" ? "wait" : last.call->function, last.lock.name, where);
    case OwnerState::kRunning:
      return fmt::format(
          "compute less while {} is held{}: prepare it before the lock, or copy the "
          "data and work on the copy",
          last.lock.name, where);
    case OwnerState::kRunnable:
      return fmt::format(
          "the thread that holds {} gets no CPU: give it the priority of those that "
          "wait for it (a mutex with PTHREAD_PRIO_INHERIT), or fewer busy threads",
          last.lock.name);
    case OwnerState::kEnded:
      return fmt::format(
          "{} is never given back: unlock it on every way out of the thread, or make "
          "the mutex robust (pthread_mutexattr_setrobust)",
          last.lock.name);
    case OwnerState::kStopped:
    case OwnerState::kUnknown:
      return {};
  }
  return {};
}

std::string deadlock_advice(const Deadlock& deadlock) {
  if (deadlock.threads.empty()) return {};
  const DeadlockedThread& first = deadlock.threads.front();
  if (deadlock.kind == DeadlockKind::kLostOwner) {
    return "unlock on every way out of a thread (or make the mutex robust); and between fork and "
           "exec take no lock that another thread may have held";
  }
  if (deadlock.kind == DeadlockKind::kSelf && first.wants.kind == LockKind::kRwlock) {
    return "a lock that is held for reading can't be taken for writing: give it back first, and "
           "look again once it is held for writing";
  }
  if (deadlock.kind == DeadlockKind::kSelf) {
    return "don't take the lock again where it is held: split off a function that expects it to be "
           "held, or make the mutex recursive";
  }
  if (all_want(deadlock, LockKind::kThread)) return "let one thread alone join the others";
  if (any_wants(deadlock, LockKind::kThread)) {
    return "give the locks back before waiting for a thread that takes them";
  }
  if (any_wants(deadlock, LockKind::kSemaphore) || any_wants(deadlock, LockKind::kBarrier) ||
      any_wants(deadlock, LockKind::kCondition)) {
    return "hold no lock while waiting for other threads, and let one of them take the first step";
  }
  return "take these locks in one order everywhere, or all at once (std::scoped_lock); what comes "
         "second can also be tried (trylock) and the first given back";
}

std::string lock_order_advice(const LockOrder& order) {
  std::string names;
  for (size_t i = 0; i < order.locks.size(); ++i) {
    if (i > 0) names += i + 1 == order.locks.size() ? " and " : ", ";
    names += name_of(order.locks[i]);
  }
  return fmt::format(
      "Take {} in one order everywhere, or at once with std::scoped_lock, or give the one up "
      "before the next is taken.",
      names);
}

}  // namespace tailback
