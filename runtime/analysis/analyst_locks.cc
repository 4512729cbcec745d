// The analyst's part in locks: their names, and what their owners do.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/analysis/analyst.h"
#include "runtime/explain/cause.h"
#include "runtime/explain/fingerprint.h"
#include "runtime/explain/lock_advice.h"
#include "runtime/interpreters/python/merged_stack.h"

namespace tailback {

namespace {

// Beside the address of a futex that is no lock.
constexpr std::string_view kOwnWord = " [a word of the thread that waits]";

bool lies_on(const Sample& sample, RemoteAddress address) {
  constexpr uint64_t kFarthest = 8 << 20;  // a thread's usual stack
  return sample.snapshot && address.value >= sample.snapshot->stack_begin.value &&
         address.value - sample.snapshot->stack_begin.value < kFarthest;
}

}  // namespace

// The symbol that covers it, else what it lies in.
std::string Analyst::lock_name(int pid, const ModuleMap& modules, const LockReading& lock) {
  if (const auto variable = reader_.symbolizer().variable_at(pid, modules, lock.address))
    return *variable;
  const Mapping* const mapping = modules.find(lock.address);
  if (!mapping || mapping->path.empty()) return fmt::format("{:#x}", lock.address.value);
  if (mapping->path.starts_with('[')) {
    return fmt::format("{:#x} {}", lock.address.value, mapping->path);
  }
  // What the kernel calls anonymous memory that is shared.
  if (mapping->path == "/dev/zero") return fmt::format("{:#x} [shared]", lock.address.value);
  return fmt::format("{}+{:#x}", file_name(mapping->path),
                     lock.address.value - mapping->begin.value + mapping->file_offset);
}

Lock Analyst::lock_of(int pid, const Sample& waiter, const LockReading& reading) {
  Lock lock;
  lock.kind = reading.kind;
  lock.type = reading.type;
  lock.address = reading.address.value;
  lock.holders = reading.holders;
  if (reading.address.value != 0 && waiter.snapshot) {
    lock.name = lock_name(pid, *waiter.snapshot->modules, reading);
    const Mapping* const mapping = waiter.snapshot->modules->find(reading.address);
    if (mapping && mapping->path.empty() && lies_on(waiter, reading.address)) {
      lock.name += " [stack of who waits for it]";
    }
  } else if (waiter.call) {
    lock.name = waiter.call->call.object;  // a file, a thread
  }
  return lock;
}

namespace {

// The lock as its owner has it: one that a writer waits for may be held for reading.
Lock as_held(Lock lock, bool for_writing) {
  if (lock.kind == LockKind::kRwlock) lock.type = for_writing ? "write" : "read";
  lock.holders.clear();
  return lock;
}

}  // namespace

LockOwner Analyst::owner_of(const Sample& waiter, int waiter_pid, const OwnerSample& look) {
  LockOwner owner;
  name_thread(look, owner);
  owner.state = look.state;
  owner.lock = as_held(lock_of(waiter_pid, waiter, look.lock), look.lock.owner != 0);
  if (!look.sample) return owner;
  const Sample& sample = *look.sample;
  if (sample.call && look.state == OwnerState::kBlocked) {
    owner.call = sample.call->call;
    if (sample.snapshot && sample.call->reading) name_lock(look.pid, sample, *owner.call);
  }
  if (!sample.snapshot) return owner;
  ReadSample read = read_sample(look.pid, sample);
  owner.culprit = read.culprit;
  owner.stack_complete = read.complete;
  owner.stack = std::move(read.stack);
  const bool waits_for_futex =
      sample.call && sample.call->reading && sample.call->reading->kind == LockKind::kFutex;
  if (owner.call && waits_for_futex && waits_on_own_word(owner.stack)) {
    owner.call->object += kOwnWord;
  }
  return owner;
}

void Analyst::name_lock(int pid, const Sample& sample, BlockedCall& call) {
  const RemoteAddress lock = sample.call->lock;
  if (lock.value == 0) return;
  if (sample.call->cause == Cause::kGil) {
    call.object = "the interpreter's lock (GIL)";
  } else {
    LockReading reading = sample.call->reading.value_or(LockReading{});
    reading.address = lock;
    call.object = lock_name(pid, *sample.snapshot->modules, reading);
  }
  if (sample.gil_holder) call.owner_stack = frames_of(*sample.gil_holder);
  if (sample.lock_owner && sample.owners.empty()) {
    call.owner_stack = frames_of(*sample.lock_owner);
  }
  if (sample.call->owner_tid > 0) {
    call.object +=
        fmt::format(", held by thread {} ({})", sample.owner_name, sample.call->owner_tid);
  } else if (sample.call->reading && !sample.call->reading->holders.empty()) {
    call.object += ", " + sample.call->reading->holders;
  }
}

void Analyst::add_owners(int pid, const Sample& sample, Stall& stall) {
  if (!sample.call->reading || sample.call->cause == Cause::kGil) return;
  stall.lock = lock_of(pid, sample, *sample.call->reading);
  const Sample* waiter = &sample;
  for (const OwnerSample& look : sample.owners) {
    stall.owners.push_back(owner_of(*waiter, pid, look));
    pid = look.pid;
    waiter = look.sample.get();
    if (!waiter) break;
  }
  if (!stall.owners.empty()) {
    const LockOwner& first = stall.owners.front();
    if (first.state == OwnerState::kEnded) {
      stall.call->object =
          fmt::format("{}, held by thread {}, which {}", stall.lock->name, first.tid,
                      first.pid == stall.pid ? "has ended" : "is of another process");
    } else if (first.lock.kind == LockKind::kFile) {
      stall.call->object += fmt::format(", locked by process {} ({})", first.process, first.pid);
    } else if (sample.call->owner_tid == 0 && first.lock.kind != LockKind::kThread) {
      // The lock itself does not say.
      stall.call->object += fmt::format(", held by thread {} ({})", first.thread, first.tid);
    }
    return;
  }
  const bool is_own_word = stall.lock->kind == LockKind::kFutex && waits_on_own_word(stall.stack);
  if (is_own_word) {
    stall.lock->name += kOwnWord;
    stall.call->object = stall.lock->name;
  }
  const bool has_owner = stall.lock->kind != LockKind::kBarrier &&
                         stall.lock->kind != LockKind::kCondition &&
                         stall.lock->kind != LockKind::kThread &&
                         (stall.lock->kind != LockKind::kFutex ||
                          cause_within_runtime(Cause::kWait, stall.stack) == Cause::kLock);
  if (has_owner && sample.call->owner_tid == 0) {
    std::string why = stall.lock->holders;
    if (why.empty()) why = "it does not record its owner";
    stall.notes.push_back(
        is_own_word
            ? "who holds the lock is not known, nor where it is: only a word of "
              "the waiting thread's own is"
            : fmt::format("who holds the {} is not known: {}", word(stall.lock->kind), why));
  }
}

void Analyst::analyse(const DeadlockSeen& observation) {
  Deadlock deadlock;
  deadlock.id = observation.id;
  deadlock.kind = observation.kind;
  deadlock.time = observation.time;
  deadlock.held = observation.held;
  deadlock.more_blocked = observation.more_blocked;
  for (const DeadlockedThreadSample& look : observation.threads) {
    const Sample& sample = *look.sample;
    DeadlockedThread thread;
    name_thread(look, thread);
    thread.in_cycle = look.in_cycle;
    thread.waits_for = look.waits_for;
    if (sample.call) thread.call = sample.call->call;
    thread.wants = lock_of(look.pid, sample, look.wants);
    if (sample.snapshot) {
      ReadSample read = read_sample(look.pid, sample);
      if (sample.call) name_lock(look.pid, sample, thread.call);
      thread.culprit = read.culprit;
      thread.stack_complete = read.complete;
      thread.stack = std::move(read.stack);
    }
    deadlock.threads.push_back(std::move(thread));
  }
  for (size_t i = 0; i < deadlock.threads.size(); ++i) {
    const DeadlockedThreadSample& look = observation.threads[i];
    if (!look.holders_known) continue;
    const Lock held = as_held(deadlock.threads[i].wants, look.wants.owner != 0);
    for (const size_t holder : look.waits_for) {
      std::vector<Lock>& holds = deadlock.threads[holder].holds;
      if (std::find(holds.begin(), holds.end(), held) == holds.end()) holds.push_back(held);
    }
  }
  deadlock.advice = deadlock_advice(deadlock);
  deadlock.fingerprint = fingerprint(deadlock);
  ++deadlocks_;
  reporter_.deadlock(deadlock);
}

}  // namespace tailback
