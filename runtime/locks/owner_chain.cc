#include "runtime/locks/owner_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/kernel/kernel_view.h"
#include "runtime/locks/lock_holders.h"
#include "runtime/sampling/sampler.h"

namespace tailback {

using contract::ThreadRecord;
using contract::ThreadState;

namespace {

// For threads without a record of their own: nothing is known of their calls, and they can't be
// held.
ThreadRecord& no_record() {
  static ThreadRecord record{};
  return record;
}
const contract::Call& no_call() {
  static const contract::Call call{};
  return call;
}
const contract::ProcessRecord& no_process() {
  static const contract::ProcessRecord process{};
  return process;
}

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

Nanoseconds on_cpu(int pid, int tid) {
  const auto times = read_schedule_times(pid, tid);
  return times ? times->on_cpu : Nanoseconds::zero();
}

bool is_looked_at(const Sample& first, int pid, int tid, int first_pid, int first_tid) {
  return (pid == first_pid && tid == first_tid) ||
         std::any_of(first.owners.begin(), first.owners.end(),
                     [&](const OwnerSample& one) { return one.pid == pid && one.tid == tid; });
}

// All that is known of who has a semaphore that is used by more than those who take it.
void say_who_took(const contract::Segment& segment, int pid, LockReading& lock) {
  if (lock.kind != LockKind::kSemaphore) return;
  const auto taker = semaphore_taker(segment, pid, lock.address);
  if (!taker) return;
  const auto name = read_comm(pid, taker->tid);
  lock.holders = name ? fmt::format("last taken by thread {} ({})", *name, taker->tid)
                      : fmt::format("last taken by thread {}, which has ended", taker->tid);
}

// The only thread of a process; 0 if it has several.
int only_thread(int pid) {
  const std::vector<int> threads = read_threads(pid);
  return threads.size() == 1 ? threads.front() : 0;
}

}  // namespace

std::optional<OwnerPlace> find_owner(int pid, const LockReading& lock) {
  if (lock.owner_process > 0) {
    if (!process_lifetimes(lock.owner_process)) return std::nullopt;  // a descriptor was passed on
    return OwnerPlace{lock.owner_process, only_thread(lock.owner_process), false};
  }
  if (lock.owner <= 0) return std::nullopt;
  if (thread_lives(pid, lock.owner)) return OwnerPlace{pid, lock.owner, false};
  const int other = read_process_of(lock.owner).value_or(0);
  if (other > 0 && (lock.between_processes || share_memory(pid, other))) {
    return OwnerPlace{other, lock.owner, false};
  }
  return OwnerPlace{other > 0 ? other : pid, lock.owner, true};
}

std::optional<OwnerPlace> find_owner(const contract::Segment& segment, int pid,
                                     const LockReading& lock) {
  if (auto place = find_owner(pid, lock)) return place;
  if (lock.kind == LockKind::kSemaphore) {
    const auto taker = semaphore_taker(segment, pid, lock.address);
    if (taker && taker->is_owner && thread_lives(pid, taker->tid)) {
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

ThreadRecord* find_record(contract::Segment& segment, int pid, int tid) {
  const uint32_t used = threads_used(segment);
  for (uint32_t index = 0; index < used; ++index) {
    ThreadRecord& record = segment.threads[index];
    if (record.tid.load(std::memory_order_relaxed) == tid &&
        record.pid.load(std::memory_order_relaxed) == pid &&
        record.state.load(std::memory_order_acquire) == static_cast<uint32_t>(ThreadState::kLive)) {
      return &record;
    }
  }
  return nullptr;
}

std::shared_ptr<Sample> look_at(contract::Segment& segment, ProcessTable& processes, int pid,
                                int tid) {
  ThreadRecord* const record = find_record(segment, pid, tid);
  if (!record) return take_sample(no_record(), no_call(), no_process(), pid, tid, processes);
  const uint32_t process = record->process.load(std::memory_order_relaxed);
  return take_sample(*record, segment.open_ended[record - segment.threads],
                     segment.processes[process % contract::kProcessCapacity], pid, tid, processes);
}

void add_owners(contract::Segment& segment, ProcessTable& processes, int pid, int tid,
                Sample& sample) {
  int waiter = pid;
  const CallDescription* const first = sample.call ? &*sample.call : nullptr;
  const CallDescription* wait = first;
  std::shared_ptr<const Sample> kept;
  while (wait && wait->reading && sample.owners.size() < kLongestChain) {
    const auto place = find_owner(segment, waiter, *wait->reading);
    if (!place) {
      if (wait == first) say_who_took(segment, pid, *sample.call->reading);
      return;
    }
    OwnerSample owner;
    owner.pid = place->pid;
    owner.tid = place->tid;
    owner.lock = *wait->reading;
    owner.process = read_comm(place->pid, place->pid).value_or("");
    if (place->is_lost) {
      owner.state = OwnerState::kEnded;
      if (place->pid == waiter) owner.process.clear();
      sample.owners.push_back(std::move(owner));
      return;
    }
    const bool is_known = is_looked_at(sample, place->pid, place->tid, pid, tid);
    if (place->tid > 0) {
      owner.thread = read_comm(place->pid, place->tid).value_or("");
      const Nanoseconds before = on_cpu(place->pid, place->tid);
      owner.sample = look_at(segment, processes, place->pid, place->tid);
      owner.state = state_of(*owner.sample, on_cpu(place->pid, place->tid) - before);
    }
    const auto again = read_awaited_lock(waiter, wait->source);
    const auto still = again ? find_owner(segment, waiter, *again) : std::nullopt;
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
