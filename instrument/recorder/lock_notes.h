// What the table's NOTE lines do beside the call itself. Only for locks that are kept.
#pragma once

#include "instrument/recorder/contention.h"
#include "instrument/recorder/held_locks.h"

namespace tailback {

template <typename Mutex>
TAILBACK_INLINE int tried_mutex(const Mutex* mutex, int outcome, uint64_t call_site) {
  note_mutex(mutex, outcome, call_site, true);
  return outcome;
}
template <typename Lock>
TAILBACK_INLINE int tried_lock(HeldKind kind, const volatile Lock* lock, int outcome,
                               uint64_t call_site) {
  note_lock(kind, lock, outcome, call_site, true);
  return outcome;
}
TAILBACK_INLINE int tried_semaphore(const sem_t* semaphore, int outcome) {
  note_semaphore(semaphore, outcome);
  return outcome;
}

// Whether a release must be noted: of a lock that is kept, or while waits are timed and either
// this one is waited for or this thread's hold of some lock is.
TAILBACK_INLINE bool notes_release(uint32_t kept, uint32_t kinds, bool waited_for) {
  return (kept & kinds) != 0 || waited_for || timed_holds != 0;
}
template <typename Mutex>
TAILBACK_INLINE bool notes_release(const Mutex* mutex) {
  const uint32_t kept = kept_locks();
  if (__builtin_expect(!(kept & (contract::kKeepOwners | contract::kKeepContention)), 1)) {
    return false;
  }
  return notes_release(kept, contract::kKeepOwners, is_waited_for(as_mutex(mutex)));
}
TAILBACK_INLINE bool notes_release(const pthread_rwlock_t* lock) {
  const uint32_t kept = kept_locks();
  const bool written = __atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED) != 0;
  const uint32_t kind = written ? contract::kKeepOwners : contract::kKeepReaders;
  if (__builtin_expect(!(kept & (kind | contract::kKeepContention)), 1)) return false;
  return notes_release(kept, kind, written && is_waited_for(*lock));
}
TAILBACK_INLINE bool notes_release(const volatile pthread_spinlock_t*) {
  const uint32_t kept = kept_locks();
  if (__builtin_expect(!(kept & (contract::kKeepOwners | contract::kKeepContention)), 1)) {
    return false;
  }
  return notes_release(kept, contract::kKeepOwners, false);
}

// Before the release: after it the lock may be no more.
template <typename Mutex>
TAILBACK_INLINE void release_mutex(const Mutex* mutex) {
  time_release(address_of(mutex), is_waited_for(as_mutex(mutex)));
  if (!keeps(contract::kKeepOwners)) return;
  give_up(address_of(mutex), __atomic_load_n(&as_mutex(mutex).__data.__owner, __ATOMIC_RELAXED));
}
TAILBACK_INLINE void release_rwlock(const pthread_rwlock_t* lock) {
  const int writer = __atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED);
  // Readers share it: since when this one has been waited for can't be told.
  time_release(address_of(lock), writer != 0 && is_waited_for(*lock));
  // Of a writer that is not kept there is nothing to release.
  if (writer != 0 && !keeps(contract::kKeepOwners)) return;
  give_up(address_of(lock), writer != 0 ? writer : kNobodyKnows);
}
TAILBACK_INLINE void release_spin(const volatile pthread_spinlock_t* lock) {
  time_release(address_of(lock), false);
  if (!keeps(contract::kKeepOwners)) return;
  give_up(address_of(lock), kNobodyKnows);
}

template <typename Lock>
TAILBACK_INLINE int begun(const volatile Lock* lock, int outcome, uint64_t call_site) {
  if (outcome == 0) begin_lock(address_of(lock), call_site);
  return outcome;
}
template <typename Lock>
TAILBACK_INLINE void end(const volatile Lock* lock) {
  end_lock(address_of(lock));
}

TAILBACK_INLINE void post(const sem_t* semaphore) {
  note_post(address_of(semaphore));
}
TAILBACK_INLINE void forget(const sem_t* semaphore) {
  forget_semaphore(address_of(semaphore));
}

}  // namespace tailback
