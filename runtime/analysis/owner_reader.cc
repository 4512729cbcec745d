#include "runtime/analysis/owner_reader.h"

#include <fmt/format.h>

#include <utility>

#include "runtime/detectors/observation.h"
#include "runtime/explain/cause.h"

namespace tailback {

LockOwner OwnerReader::owner_of(const Sample& waiter, int waiter_pid, const OwnerSample& sampled) {
  LockOwner owner;
  name_thread(sampled, owner);
  owner.state = sampled.state;
  owner.lock = as_held(names_.lock_of(waiter_pid, waiter, sampled.lock), sampled.lock.owner != 0);
  add_sample(sampled, owner);
  return owner;
}

LockOwner OwnerReader::thread_of(const OwnerSample& sampled) {
  LockOwner thread;
  name_thread(sampled, thread);
  thread.state = sampled.state;
  thread.lock.kind = LockKind::kThread;
  add_sample(sampled, thread);
  return thread;
}

void OwnerReader::add_sample(const OwnerSample& sampled, LockOwner& owner) {
  if (!sampled.sample) return;
  const Sample& sample = *sampled.sample;
  if (sample.call && sampled.state == OwnerState::kBlocked) {
    owner.call = sample.call->call;
    if (sample.snapshot && sample.call->reading) {
      names_.name_object(sampled.pid, sample, *owner.call);
    }
  }
  if (!sample.snapshot) return;
  ReadStack read = reader_.read(sampled.pid, sample);
  owner.culprit = read.culprit;
  owner.stack_complete = read.complete;
  owner.stack = std::move(read.frames);
  const bool waits_for_futex =
      sample.call && sample.call->reading && sample.call->reading->kind == LockKind::kFutex;
  if (owner.call && waits_for_futex && waits_on_own_word(owner.stack)) {
    owner.call->object += kOwnWord;
  }
}

// Says in the call's object who holds the lock, where the lock itself does not.
void OwnerReader::name_first_owner(const Sample& sample, Stall& stall) {
  const LockOwner& first = stall.owners.front();
  if (first.state == OwnerState::kEnded) {
    stall.call->object =
        fmt::format("{}, held by thread {}, which {}", stall.lock->name, first.tid,
                    first.pid == stall.pid ? "has ended" : "is of another process");
  } else if (first.lock.kind == LockKind::kFile) {
    stall.call->object += fmt::format(", locked by process {} ({})", first.process, first.pid);
  } else if (sample.call->owner_tid == 0 && first.lock.kind != LockKind::kThread) {
    stall.call->object += fmt::format(", held by thread {} ({})", first.thread, first.tid);
  }
}

void OwnerReader::explain_missing_owner(const Sample& sample, Stall& stall) {
  const LockKind kind = stall.lock->kind;
  const bool is_own_word = kind == LockKind::kFutex && waits_on_own_word(stall.stack);
  if (is_own_word) {
    stall.lock->name += kOwnWord;
    stall.call->object = stall.lock->name;
  }
  const bool has_owner =
      kind != LockKind::kBarrier && kind != LockKind::kCondition && kind != LockKind::kThread &&
      (kind != LockKind::kFutex || cause_within_runtime(Cause::kWait, stall.stack) == Cause::kLock);
  if (!has_owner || sample.call->owner_tid != 0) return;
  if (is_own_word) {
    stall.limits.push_back(
        {LimitKind::kOwnerUnknown,
         {},
         "lock",
         "only a word of the waiting thread's own is, and the lock is elsewhere"});
    return;
  }
  const std::string why =
      stall.lock->holders.empty() ? "it does not record its owner" : stall.lock->holders;
  stall.limits.push_back({LimitKind::kOwnerUnknown, {}, std::string(word(kind)), why});
}

void OwnerReader::add_owners(int pid, const Sample& sample, Stall& stall) {
  if (!sample.call->reading || sample.call->cause == Cause::kGil) return;
  stall.lock = names_.lock_of(pid, sample, *sample.call->reading);
  const Sample* waiter = &sample;
  for (const OwnerSample& sampled : sample.owners) {
    stall.owners.push_back(owner_of(*waiter, pid, sampled));
    pid = sampled.pid;
    waiter = sampled.sample.get();
    if (!waiter) break;
  }
  if (stall.owners.empty()) {
    explain_missing_owner(sample, stall);
  } else {
    name_first_owner(sample, stall);
  }
}

}  // namespace tailback
