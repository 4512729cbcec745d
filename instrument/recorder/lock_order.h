// The order in which threads take locks, as it goes into the ring: each held-lock sequence once per
// thread. The slow half, but for is_published().
#pragma once

#include "instrument/recorder/thread_state.h"

namespace tailback {

// Per granule of memory, by its hash: the generation of the lock there, which counts the locks that
// have been there over time; 0 where nothing has asked yet. No two mutexes begin in one granule,
// but the end of a lock may count for another of the same hash, which then seems to be a new one.
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
// The same, but 0 where nothing has asked yet.
TAILBACK_INLINE uint32_t known_lock_generation(uint64_t lock) {
  return __atomic_load_n(&generation_at(lock >> kGranuleBits), __ATOMIC_RELAXED);
}
// To be called when a lock is initialised or destroyed, and when memory is freed that may hold
// locks.
void next_lock_generation(uint64_t lock);
void next_lock_generations(uint64_t begin, uint64_t size);

TAILBACK_INLINE uint64_t mix(uint64_t value) {
  value = contract::spread(value);
  return value ^ value >> 29;
}

// The hash of a held-lock sequence: which locks, how they are held, and the order of acquisition.
TAILBACK_INLINE uint64_t add_to_sequence(uint64_t sequence, uint64_t lock, contract::HeldKind kind,
                                         uint64_t generation) {
  return mix(sequence ^ lock ^ static_cast<uint64_t>(kind) << 60 ^ generation << 44);
}

TAILBACK_INLINE uint64_t& published_place(contract::HeldLocks& held, uint64_t sequence) {
  static_assert(contract::kPublishedSequences == 128);
  return held.published[sequence >> 57];
}

TAILBACK_INLINE bool is_published(contract::HeldLocks& held, uint64_t sequence) {
  return published_place(held, sequence) == sequence;
}

// Publishes that this thread took the lock at `place` of its list while it held those before it.
// Returns `outcome`.
int publish_order(contract::HeldLocks& held, uint32_t place, int outcome);
// Publishes that this thread has released a lock that it does not hold.
void publish_foreign_release(const contract::ThreadRecord& record, uint64_t lock);

}  // namespace tailback
