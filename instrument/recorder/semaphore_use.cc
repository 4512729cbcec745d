// Who took a semaphore last, and whether other threads post it: the semaphore itself says neither.
#include "instrument/recorder/held_locks.h"

namespace tailback {

using contract::SemaphoreUse;
using contract::ThreadRecord;

namespace {

uint64_t key_of(const ThreadRecord& record, uint64_t semaphore) {
  return contract::lock_key(record.process.load(std::memory_order_relaxed), semaphore);
}

SemaphoreUse& place_of(uint64_t key) {
  return segment->semaphores[contract::lock_key_hash(key) % contract::kSemaphoreUses];
}

void begin_use(SemaphoreUse& use, uint64_t key, int taker, uint32_t posted) {
  use.key.store(0, std::memory_order_relaxed);
  use.taker.store(taker, std::memory_order_relaxed);
  use.posted.store(posted, std::memory_order_relaxed);
  use.key.store(key, std::memory_order_release);
}

}  // namespace

__attribute__((noinline)) int track_taker(uint64_t semaphore, int outcome) {
  const ThreadRecord* record = current_record();
  if (!record) return outcome;
  const uint64_t key = key_of(*record, semaphore);
  SemaphoreUse& use = place_of(key);
  const int tid = record->tid.load(std::memory_order_relaxed);
  if (use.key.load(std::memory_order_relaxed) == key) {
    use.taker.store(tid, std::memory_order_relaxed);
  } else {
    begin_use(use, key, tid, 0);
  }
  return outcome;
}

__attribute__((noinline)) void track_post(uint64_t semaphore) {
  const ThreadRecord* record = current_record();
  if (!record) return;
  const uint64_t key = key_of(*record, semaphore);
  SemaphoreUse& use = place_of(key);
  if (use.key.load(std::memory_order_relaxed) != key) {
    begin_use(use, key, 0, contract::kPostedByOther);
    return;
  }
  const bool by_taker =
      use.taker.load(std::memory_order_relaxed) == record->tid.load(std::memory_order_relaxed);
  const uint32_t bit = by_taker ? contract::kPostedByTaker : contract::kPostedByOther;
  const uint32_t posted = use.posted.load(std::memory_order_relaxed);
  if (!(posted & bit)) use.posted.store(posted | bit, std::memory_order_relaxed);
}

__attribute__((noinline)) void forget_semaphore(uint64_t semaphore) {
  const ThreadRecord* record = current_record();
  if (!record) return;
  const uint64_t key = key_of(*record, semaphore);
  SemaphoreUse& use = place_of(key);
  if (use.key.load(std::memory_order_relaxed) == key) use.key.store(0, std::memory_order_relaxed);
}

}  // namespace tailback
