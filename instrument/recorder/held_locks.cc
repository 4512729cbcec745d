#include "instrument/recorder/held_locks.h"

#include "instrument/recorder/lock_order.h"

namespace tailback {

using contract::HeldLock;
using contract::HeldLocks;
using contract::kHeldLocks;
using contract::ThreadRecord;

namespace {

constexpr auto relaxed = std::memory_order_relaxed;
const std::atomic<uint32_t> kNothingIsTracked{0};

TAILBACK_INLINE uint32_t count_of(const HeldLocks& held) {
  const uint32_t count = held.count.load(relaxed);
  return count < kHeldLocks ? count : kHeldLocks;  // any process may have written to the segment
}

TAILBACK_INLINE HeldKind kind_of(const HeldLock& entry) {
  return contract::kind_held(entry.how.load(relaxed));
}

// The hash of the sequence that ends before `place`. The first lock's is computed when a second
// comes.
TAILBACK_INLINE uint64_t sequence_before(const HeldLocks& held, uint32_t place) {
  if (place == 0) return 0;
  const HeldLock& entry = held.locks[place - 1];
  if (place > 1) return entry.sequence;
  return add_to_sequence(0, entry.lock.load(relaxed), kind_of(entry), entry.generation);
}

// The lock's place in the list; `count` if it is not there.
TAILBACK_INLINE uint32_t find(const HeldLocks& held, uint32_t count, uint64_t lock) {
  for (uint32_t i = count; i-- > 0;) {
    if (held.locks[i].lock.load(relaxed) == lock) return i;
  }
  return count;
}

void copy(HeldLock& to, const HeldLock& from) {
  to.lock.store(from.lock.load(relaxed), relaxed);
  to.call_site.store(from.call_site.load(relaxed), relaxed);
  to.how.store(from.how.load(relaxed), relaxed);
  to.generation = from.generation;
}

void remove(HeldLocks& held, uint32_t count, uint32_t place) {
  for (uint32_t i = place; i + 1 < count; ++i) {
    HeldLock& entry = held.locks[i];
    copy(entry, held.locks[i + 1]);
    entry.sequence = add_to_sequence(sequence_before(held, i), entry.lock.load(relaxed),
                                     kind_of(entry), entry.generation);
  }
  held.count.store(count - 1, std::memory_order_release);
}

HeldLocks* current_held_locks() {
  return current_record() ? current_thread.held : nullptr;
}

// Puts the lock, which is not in the list, at its end, where there is room. Functions that end with
// a call need nothing after it, so the compiler makes jumps of these calls.
TAILBACK_INLINE HeldLock& write_entry(HeldLocks& held, uint32_t count, uint64_t lock, Taken taken,
                                      uint64_t call_site) {
  HeldLock& entry = held.locks[count];
  entry.lock.store(lock, relaxed);
  entry.call_site.store(call_site, relaxed);
  entry.how.store(contract::held_as(taken.kind()), relaxed);
  return entry;
}
TAILBACK_INLINE int append(HeldLocks& held, uint32_t count, uint64_t lock, Taken taken,
                           uint64_t call_site, int outcome) {
  write_entry(held, count, lock, taken, call_site);
  held.count.store(count + 1, std::memory_order_release);
  return outcome;
}
TAILBACK_INLINE int append_in_order(HeldLocks& held, uint32_t count, uint64_t lock, Taken taken,
                                    uint64_t call_site, int outcome) {
  HeldLock& entry = write_entry(held, count, lock, taken, call_site);
  const uint32_t generation = lock_generation(lock);
  entry.generation = generation;
  const uint64_t before = sequence_before(held, count);
  const uint64_t sequence = add_to_sequence(before, lock, taken.kind(), generation);
  entry.sequence = sequence;
  held.count.store(count + 1, std::memory_order_release);
  if (count == 0 || taken.tried() || __builtin_expect(is_published(held, sequence), 1))
    return outcome;
  return publish_order(held, count, outcome);
}

// For a thread that is new, a lock that the thread holds already, and a list that is full.
TAILBACK_COLD int acquire_slowly(uint64_t lock, Taken taken, uint64_t call_site, int outcome) {
  HeldLocks* const held = current_held_locks();
  if (!held) return outcome;
  uint32_t count = count_of(*held);
  const uint32_t place = find(*held, count, lock);
  if (place != count) {
    if (taken.recursive()) {
      std::atomic<uint32_t>& how = held->locks[place].how;
      how.store(how.load(relaxed) + contract::kHeldOnce, relaxed);
      return outcome;
    }
    // Another thread has released it, or a call that is not intercepted.
    remove(*held, count--, place);
  }
  if (count == kHeldLocks) {
    held->missed.fetch_add(1, relaxed);
    segment->header.held_missed.fetch_add(1, relaxed);
    return outcome;
  }
  return tracks(contract::kTrackOrder)
             ? append_in_order(*held, count, lock, taken, call_site, outcome)
             : append(*held, count, lock, taken, call_site, outcome);
}

// This thread's list if the thread is attached.
TAILBACK_INLINE HeldLocks* known_held_locks() {
  return __builtin_expect(still_in_same_process(), 1) ? current_thread.held : nullptr;
}

}  // namespace

const std::atomic<uint32_t>* tracked_locks_word = &kNothingIsTracked;

void find_tracked_locks() {
  tracked_locks_word = &segment->header.tracked_locks;
}

void forget_held_locks(const ThreadRecord& record) {
  HeldLocks& held = held_locks_of(record);
  held.count.store(0, relaxed);
  held.missed.store(0, relaxed);
  if (tracks(contract::kTrackOrder)) __builtin_memset(held.published, 0, sizeof held.published);
}

__attribute__((noinline)) int track_acquire_unordered(uint64_t lock, Taken taken,
                                                      uint64_t call_site, int outcome) {
  HeldLocks* const held = known_held_locks();
  if (__builtin_expect(!held, 0)) return acquire_slowly(lock, taken, call_site, outcome);
  const uint32_t count = held->count.load(relaxed);
  if (__builtin_expect(count == 0, 1)) return append(*held, 0, lock, taken, call_site, outcome);
  if (count >= kHeldLocks || find(*held, count, lock) != count) {
    return acquire_slowly(lock, taken, call_site, outcome);
  }
  return append(*held, count, lock, taken, call_site, outcome);
}

__attribute__((noinline)) int track_acquire_ordered(uint64_t lock, Taken taken, uint64_t call_site,
                                                    int outcome) {
  HeldLocks* const held = known_held_locks();
  if (__builtin_expect(!held, 0)) return acquire_slowly(lock, taken, call_site, outcome);
  const uint32_t count = held->count.load(relaxed);
  if (count == 0) {
    const uint32_t generation = lock_generation(lock);
    write_entry(*held, 0, lock, taken, call_site).generation = generation;
    held->count.store(1, std::memory_order_release);
    return outcome;
  }
  if (count >= kHeldLocks || find(*held, count, lock) != count) {
    return acquire_slowly(lock, taken, call_site, outcome);
  }
  return append_in_order(*held, count, lock, taken, call_site, outcome);
}

TAILBACK_COLD void track_release(uint64_t lock, int owner) {
  HeldLocks* const held = current_held_locks();
  if (!held) return;
  const uint32_t count = count_of(*held);
  const uint32_t place = find(*held, count, lock);
  if (place == count) {
    // Taken before locks were tracked, or while the list was full; or else by another thread.
    const ThreadRecord& record = *current_thread.record;
    const bool is_foreign = owner != 0 && owner != record.tid.load(relaxed);
    if (is_foreign && tracks(contract::kTrackOrder) && held->missed.load(relaxed) == 0) {
      publish_foreign_release(record, lock);
    }
    return;
  }
  std::atomic<uint32_t>& how = held->locks[place].how;
  const uint32_t held_as = how.load(relaxed);
  if (contract::times_held(held_as) > 1) {
    how.store(held_as - contract::kHeldOnce, relaxed);
  } else {
    remove(*held, count, place);
  }
}

}  // namespace tailback
