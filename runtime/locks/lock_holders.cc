#include "runtime/locks/lock_holders.h"

#include <algorithm>

#include "runtime/segment/live_threads.h"

namespace tailback {

using contract::HeldLocks;

namespace {

bool is_read_hold(const contract::HeldLock& held) {
  const uint32_t how = held.how.load(std::memory_order_relaxed);
  return contract::kind_held(how) == contract::HeldKind::kRead && contract::times_held(how) > 0;
}

// The index of a process's record, as keys of the shared tables have it.
std::optional<uint32_t> process_index(const contract::Segment& segment, int pid) {
  const uint32_t used = std::min(segment.header.processes_used.load(std::memory_order_relaxed),
                                 contract::kProcessCapacity);
  for (uint32_t index = 0; index < used; ++index) {
    const contract::ProcessRecord& process = segment.processes[index];
    if (process.pid.load(std::memory_order_relaxed) == pid &&
        process.state.load(std::memory_order_acquire) ==
            static_cast<uint32_t>(contract::ProcessState::kLive)) {
      return index;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<ReadHold> read_holds(const contract::Segment& segment, int pid) {
  constexpr size_t kMost = 65536;
  std::vector<ReadHold> found;
  for (const auto [index, record] : live_threads(segment)) {
    if (found.size() >= kMost) break;
    const int owner = record.pid.load(std::memory_order_relaxed);
    if (pid != 0 && owner != pid) continue;
    const HeldLocks& held = segment.held_locks[index];
    const uint32_t count =
        std::min(held.count.load(std::memory_order_acquire), contract::kHeldLocks);
    for (uint32_t i = 0; i < count; ++i) {
      if (!is_read_hold(held.locks[i])) continue;
      found.push_back({{owner, record.tid.load(std::memory_order_relaxed)},
                       RemoteAddress(held.locks[i].lock.load(std::memory_order_relaxed))});
    }
  }
  return found;
}

std::optional<SemaphoreTaker> semaphore_taker(const contract::Segment& segment, int pid,
                                              RemoteAddress semaphore) {
  const auto process = process_index(segment, pid);
  if (!process) return std::nullopt;
  const uint64_t key = contract::lock_key(*process, semaphore.value);
  const contract::SemaphoreUse& use =
      segment.semaphores[contract::lock_key_hash(key) % contract::kSemaphoreUses];
  if (use.key.load(std::memory_order_acquire) != key) return std::nullopt;
  SemaphoreTaker taker;
  taker.tid = use.taker.load(std::memory_order_relaxed);
  taker.is_owner = use.posted.load(std::memory_order_relaxed) == contract::kPostedByTaker;
  if (taker.tid <= 0 || use.key.load(std::memory_order_acquire) != key) return std::nullopt;
  return taker;
}

}  // namespace tailback
