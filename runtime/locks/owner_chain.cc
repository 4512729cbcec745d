#include "runtime/locks/owner_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/locks/lock_holders.h"
#include "runtime/segment/live_threads.h"

namespace tailback {

namespace {

OwnerState state_of(const Sample& sample, Nanoseconds on_cpu) {
  switch (sample.state) {
    case 'S':
    case 'D':
      return sample.source == Sample::Source::kNone ? OwnerState::kUnknown : OwnerState::kBlocked;
    case 'R':
      // A thread that could not be held within some milliseconds, and did not run in them.
      if (sample.held || on_cpu > Nanoseconds::zero()) return OwnerState::kRunning;
      return OwnerState::kRunnable;
    case 'T':
    case 't':
      return OwnerState::kStopped;
    case 'Z':
    case 'X':
      return OwnerState::kEnded;
    default:
      return OwnerState::kUnknown;
  }
}

Nanoseconds on_cpu(ProcSource& proc, int pid, int tid) {
  const auto times = proc.schedule_times(pid, tid);
  return times ? times->on_cpu : Nanoseconds::zero();
}

bool is_looked_at(const Sample& first, int pid, int tid, int first_pid, int first_tid) {
  return (pid == first_pid && tid == first_tid) ||
         std::any_of(first.owners.begin(), first.owners.end(),
                     [&](const OwnerSample& one) { return one.pid == pid && one.tid == tid; });
}

// All that is known of who has a semaphore that is used by more than those who take it.
void say_who_took(const contract::Segment& segment, ProcSource& proc, int pid, LockReading& lock) {
  if (lock.kind != LockKind::kSemaphore) return;
  const auto taker = semaphore_taker(segment, pid, lock.address);
  if (!taker) return;
  const auto name = proc.comm(pid, taker->tid);
  lock.holders = name ? fmt::format("last taken by thread {} ({})", *name, taker->tid)
                      : fmt::format("last taken by thread {}, which has ended", taker->tid);
}

// The only thread of a process; 0 if it has several.
int only_thread(ProcSource& proc, int pid) {
  const std::vector<int> threads = proc.threads(pid);
  return threads.size() == 1 ? threads.front() : 0;
}

}  // namespace

std::optional<OwnerPlace> find_owner(ProcSource& proc, int pid, const LockReading& lock) {
  if (lock.owner_process > 0) {
    if (!proc.process_lives(lock.owner_process)) return std::nullopt;  // a descriptor was passed on
    return OwnerPlace{lock.owner_process, only_thread(proc, lock.owner_process), false};
  }
  if (lock.owner <= 0) return std::nullopt;
  if (proc.thread_lives(pid, lock.owner)) return OwnerPlace{pid, lock.owner, false};
  const int other = proc.process_of(lock.owner).value_or(0);
  if (other > 0 && (lock.between_processes || proc.share_memory(pid, other))) {
    return OwnerPlace{other, lock.owner, false};
  }
  return OwnerPlace{other > 0 ? other : pid, lock.owner, true};
}

std::optional<OwnerPlace> find_owner(const contract::Segment& segment, ProcSource& proc, int pid,
                                     const LockReading& lock) {
  if (auto place = find_owner(proc, pid, lock)) return place;
  if (lock.kind == LockKind::kSemaphore) {
    const auto taker = semaphore_taker(segment, pid, lock.address);
    if (taker && taker->is_owner && proc.thread_lives(pid, taker->tid)) {
      return OwnerPlace{pid, taker->tid, false};
    }
  }
  if (lock.kind == LockKind::kRwlock && !lock.holders.empty()) {
    for (const ReadHold& held : read_holds(segment, pid)) {
      if (held.lock == lock.address) return OwnerPlace{pid, held.thread.tid, false};
    }
  }
  return std::nullopt;
}

std::optional<uint32_t> find_record(const contract::Segment& segment, int pid, int tid) {
  for (const auto [index, record] : live_threads(segment)) {
    if (record.tid.load(std::memory_order_relaxed) == tid &&
        record.pid.load(std::memory_order_relaxed) == pid) {
      return index;
    }
  }
  return std::nullopt;
}

std::shared_ptr<Sample> sample_thread(DetectorInput& input, int pid, int tid) {
  return input.sampler().take(find_record(input.segment(), pid, tid), pid, tid);
}

OwnerSample sample_owner(DetectorInput& input, int pid, int tid) {
  ProcSource& proc = input.proc();
  OwnerSample owner;
  owner.pid = pid;
  owner.tid = tid;
  owner.process = proc.comm(pid, pid).value_or("");
  if (tid <= 0) return owner;
  owner.thread = proc.comm(pid, tid).value_or("");
  const Nanoseconds before = on_cpu(proc, pid, tid);
  owner.sample = sample_thread(input, pid, tid);
  owner.state = state_of(*owner.sample, on_cpu(proc, pid, tid) - before);
  return owner;
}

void add_owners(DetectorInput& input, int pid, int tid, Sample& sample) {
  const contract::Segment& segment = input.segment();
  ProcSource& proc = input.proc();
  int waiter = pid;
  const CallDescription* const first = sample.call ? &*sample.call : nullptr;
  const CallDescription* wait = first;
  std::shared_ptr<const Sample> kept;
  while (wait && wait->reading && sample.owners.size() < kLongestChain) {
    const auto place = find_owner(segment, proc, waiter, *wait->reading);
    if (!place) {
      if (wait == first) say_who_took(segment, proc, pid, *sample.call->reading);
      return;
    }
    if (place->is_lost) {
      OwnerSample owner;
      owner.pid = place->pid;
      owner.tid = place->tid;
      owner.lock = *wait->reading;
      if (place->pid != waiter) owner.process = proc.comm(place->pid, place->pid).value_or("");
      owner.state = OwnerState::kEnded;
      sample.owners.push_back(std::move(owner));
      return;
    }
    const bool is_known = is_looked_at(sample, place->pid, place->tid, pid, tid);
    OwnerSample owner = sample_owner(input, place->pid, place->tid);
    owner.lock = *wait->reading;
    const auto again = input.sampler().awaited_lock(waiter, wait->source);
    const auto still = again ? find_owner(segment, proc, waiter, *again) : std::nullopt;
    if (!still || again->address != wait->reading->address || still->tid != place->tid ||
        still->pid != place->pid) {
      return;
    }
    kept = owner.sample;
    waiter = owner.pid;
    sample.owners.push_back(std::move(owner));
    if (is_known || !kept || !kept->call) return;
    wait = &*kept->call;
  }
}

}  // namespace tailback
