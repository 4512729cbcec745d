// The order in which locks are taken, as it goes into the ring: each chain of held locks once per
// thread. [recorder's slow half, but for is_published]
#pragma once

#include "instrument/recorder/thread_state.h"

namespace tailback {

// Per granule of memory, by its hash, which of the locks that were there over time it is; 0 where
// nobody ever asked. No two mutexes begin in one granule, but a lock's end may count for another of
// the same hash, and makes that seem a new one.
inline constexpr unsigned kGranuleBits = 5;
inline constexpr uint32_t kGranules = 1 << 16;
TAILBACK_HIDDEN extern uint32_t lock_generations[kGranules];

TAILBACK_INLINE uint32_t& generation_at(uint64_t granule) {
  return lock_generations[(granule ^ granule >> 16) & (kGranules - 1)];
}

TAILBACK_INLINE uint64_t lock_generation(uint64_t lock) {
  uint32_t& generation = generation_at(lock >> kGranuleBits);
  const uint32_t value = __atomic_load_n(&generation, __ATOMIC_RELAXED);
  if (__builtin_expect(value != 0, 1)) return value;
  uint32_t expected = 0;
  const bool is_first = __atomic_compare_exchange_n(&generation, &expected, 1, false,
                                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return is_first ? 1 : expected;
}
// The same, without being the one who asks.
TAILBACK_INLINE uint32_t known_lock_generation(uint64_t lock) {
  return __atomic_load_n(&generation_at(lock >> kGranuleBits), __ATOMIC_RELAXED);
}
// To be called when a lock begins or ends, or memory in which locks may lie is freed.
void next_lock_generation(uint64_t lock);
void next_lock_generations(uint64_t begin, uint64_t size);

TAILBACK_INLINE uint64_t mix(uint64_t value) {
  value *= 0x9e3779b97f4a7c15u;
  return value ^ value >> 29;
}

// A chain stands for locks, how they are held, and the order of their acquisition.
TAILBACK_INLINE uint64_t add_to_chain(uint64_t chain, uint64_t lock, contract::HeldKind kind,
                                      uint64_t generation) {
  return mix(chain ^ lock ^ static_cast<uint64_t>(kind) << 60 ^ generation << 44);
}

TAILBACK_INLINE uint64_t in_epoch(uint64_t chain) {
  return chain + segment->header.lock_epoch.load(std::memory_order_relaxed);
}

TAILBACK_INLINE uint64_t& reported_place(contract::HeldLocks& held, uint64_t chain) {
  static_assert(contract::kPublishedSequences == 128);
  return held.told[chain >> 57];
}

TAILBACK_INLINE bool is_published(contract::HeldLocks& held, uint64_t chain) {
  return reported_place(held, chain) == in_epoch(chain);
}

// Tells that the lock at `place` of this thread's list was taken while those before it were held.
// Returns `outcome`.
int publish_order(contract::HeldLocks& held, uint32_t place, int outcome);
// Tells that a lock was released which this thread does not hold.
void publish_foreign_release(const contract::ThreadRecord& record, uint64_t lock);

}  // namespace tailback
