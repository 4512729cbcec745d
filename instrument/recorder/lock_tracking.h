// What the table's TRACK lines do beside the call itself. Only for locks that are tracked.
#pragma once

#include "instrument/recorder/contention.h"
#include "instrument/recorder/held_locks.h"

namespace tailback {

template <typename Mutex>
TAILBACK_INLINE int track_try_mutex(const Mutex* mutex, int outcome, uint64_t call_site) {
  return track_mutex(mutex, outcome, call_site, true);
}
template <typename Lock>
TAILBACK_INLINE int track_try_lock(HeldKind kind, const volatile Lock* lock, int outcome,
                                   uint64_t call_site) {
  return track_lock(kind, lock, outcome, call_site, true);
}

// Whether a release needs no more tracking: the lock is not tracked, or was the last of this
// thread's list and is removed now. While contention is tracked, `may_be_timed` leaves the release
// to the functions below.
TAILBACK_INLINE bool released_quickly(uint64_t lock, uint32_t tracked, uint32_t kinds,
                                      bool may_be_timed) {
  if ((tracked & contract::kTrackContention) && may_be_timed) return false;
  return !(tracked & kinds) || release_last(lock);
}
template <typename Mutex>
TAILBACK_INLINE bool released_quickly(const Mutex* mutex) {
  const uint32_t tracked = tracked_locks();
  constexpr uint32_t kKinds = contract::kTrackOwners;
  if (__builtin_expect(!(tracked & (kKinds | contract::kTrackContention)), 1)) return true;
  return released_quickly(address_of(mutex), tracked, kKinds, !is_plainly_held(as_mutex(mutex)));
}
TAILBACK_INLINE bool released_quickly(const pthread_rwlock_t* lock) {
  const uint32_t tracked = tracked_locks();
  const bool written = __atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED) != 0;
  const uint32_t kinds = written ? contract::kTrackOwners : contract::kTrackReaders;
  // Readers share the lock: nothing says since when a thread has been waiting for this one.
  return released_quickly(address_of(lock), tracked, kinds,
                          timed_holds != 0 || (written && is_waited_for(*lock)));
}
TAILBACK_INLINE bool released_quickly(const volatile pthread_spinlock_t* lock) {
  const uint32_t tracked = tracked_locks();
  constexpr uint32_t kKinds = contract::kTrackOwners;
  if (__builtin_expect(!(tracked & (kKinds | contract::kTrackContention)), 1)) return true;
  return released_quickly(address_of(lock), tracked, kKinds, timed_holds != 0);
}

// The rest of the tracking of a release. Before the release: after it the lock may be gone.
template <typename Mutex>
TAILBACK_INLINE void release_mutex(const Mutex* mutex) {
  time_release(address_of(mutex), is_waited_for(as_mutex(mutex)));
  if (!tracks(contract::kTrackOwners)) return;
  track_release(address_of(mutex), owner_in(mutex));
}
TAILBACK_INLINE void release_rwlock(const pthread_rwlock_t* lock) {
  const int writer = __atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED);
  time_release(address_of(lock), writer != 0 && is_waited_for(*lock));
  // Of a writer that is not tracked there is nothing to release.
  if (writer != 0 && !tracks(contract::kTrackOwners)) return;
  track_release(address_of(lock), writer != 0 ? writer : kUnknownOwner);
}
TAILBACK_INLINE void release_spin(const volatile pthread_spinlock_t* lock) {
  time_release(address_of(lock), false);
  if (!tracks(contract::kTrackOwners)) return;
  track_release(address_of(lock), kUnknownOwner);
}

template <typename Lock>
TAILBACK_INLINE int track_init(const volatile Lock* lock, int outcome, uint64_t call_site) {
  if (outcome == 0) track_init(address_of(lock), call_site);
  return outcome;
}
template <typename Lock>
TAILBACK_INLINE void track_destroy(const volatile Lock* lock) {
  track_destroy(address_of(lock));
}

TAILBACK_INLINE void track_post(const sem_t* semaphore) {
  track_post(address_of(semaphore));
}
TAILBACK_INLINE void forget_semaphore(const sem_t* semaphore) {
  forget_semaphore(address_of(semaphore));
}

}  // namespace tailback
