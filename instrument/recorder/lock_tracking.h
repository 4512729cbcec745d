// What the table's NOTE lines do beside the call itself. Only for locks that are kept.
#pragma once

#include "instrument/recorder/contention.h"
#include "instrument/recorder/held_locks.h"

namespace tailback {

template <typename Mutex>
TAILBACK_INLINE int tried_mutex(const Mutex* mutex, int outcome, uint64_t call_site) {
  return note_mutex(mutex, outcome, call_site, true);
}
template <typename Lock>
TAILBACK_INLINE int tried_lock(HeldKind kind, const volatile Lock* lock, int outcome,
                               uint64_t call_site) {
  return note_lock(kind, lock, outcome, call_site, true);
}

// Whether nothing is left to note of a release: the lock is not kept, or was the last on this
// thread's list and is off it now. With contention kept, `may_be_timed` leaves it to the functions
// below.
TAILBACK_INLINE bool released_quickly(uint64_t lock, uint32_t kept, uint32_t kinds,
                                      bool may_be_timed) {
  if ((kept & contract::kTrackContention) && may_be_timed) return false;
  return !(kept & kinds) || give_up_last(lock);
}
template <typename Mutex>
TAILBACK_INLINE bool released_quickly(const Mutex* mutex) {
  const uint32_t kept = tracked_locks();
  constexpr uint32_t kKinds = contract::kTrackOwners;
  if (__builtin_expect(!(kept & (kKinds | contract::kTrackContention)), 1)) return true;
  return released_quickly(address_of(mutex), kept, kKinds, !is_plainly_held(as_mutex(mutex)));
}
TAILBACK_INLINE bool released_quickly(const pthread_rwlock_t* lock) {
  const uint32_t kept = tracked_locks();
  const bool written = __atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED) != 0;
  const uint32_t kinds = written ? contract::kTrackOwners : contract::kTrackReaders;
  // Readers share it: since when this one has been waited for can't be told.
  return released_quickly(address_of(lock), kept, kinds,
                          timed_holds != 0 || (written && is_waited_for(*lock)));
}
TAILBACK_INLINE bool released_quickly(const volatile pthread_spinlock_t* lock) {
  const uint32_t kept = tracked_locks();
  constexpr uint32_t kKinds = contract::kTrackOwners;
  if (__builtin_expect(!(kept & (kKinds | contract::kTrackContention)), 1)) return true;
  return released_quickly(address_of(lock), kept, kKinds, timed_holds != 0);
}

// The rest of what is noted of a release. Before it: after it the lock may be no more.
template <typename Mutex>
TAILBACK_INLINE void release_mutex(const Mutex* mutex) {
  time_release(address_of(mutex), is_waited_for(as_mutex(mutex)));
  if (!tracks(contract::kTrackOwners)) return;
  track_release(address_of(mutex), owner_in(mutex));
}
TAILBACK_INLINE void release_rwlock(const pthread_rwlock_t* lock) {
  const int writer = __atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED);
  time_release(address_of(lock), writer != 0 && is_waited_for(*lock));
  // Of a writer that is not kept there is nothing to release.
  if (writer != 0 && !tracks(contract::kTrackOwners)) return;
  track_release(address_of(lock), writer != 0 ? writer : kNobodyKnows);
}
TAILBACK_INLINE void release_spin(const volatile pthread_spinlock_t* lock) {
  time_release(address_of(lock), false);
  if (!tracks(contract::kTrackOwners)) return;
  track_release(address_of(lock), kNobodyKnows);
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
