// How long this process's threads wait for locks and hold them, summed up in the segment (--locks).
//
// Only a wait and the hold that begins with it are timed. A lock that is free costs one test of a
// word, and two at its release.
#pragma once

#include "instrument/contract/intercepts.h"
#include "instrument/recorder/held_locks.h"

namespace tailback {

// The thread that holds a lock, as the lock itself says; 0: the lock does not name it.
TAILBACK_INLINE int owner_of(const pthread_mutex_t* mutex) {
  return __atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED);
}
TAILBACK_INLINE int owner_of(const mtx_t* mutex) {
  return owner_of(reinterpret_cast<const pthread_mutex_t*>(mutex));
}
TAILBACK_INLINE int owner_of(const pthread_rwlock_t* lock) {
  return __atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED);
}
TAILBACK_INLINE int owner_of(const volatile pthread_spinlock_t*) {
  return 0;
}
TAILBACK_INLINE int owner_of(const sem_t*) {
  return 0;
}
TAILBACK_INLINE int owner_of(const volatile void*) {
  return 0;
}

// Whether another thread may be waiting for it, as the lock itself says.
TAILBACK_INLINE bool is_waited_for(const pthread_mutex_t& mutex) {
  const int word = __atomic_load_n(&mutex.__data.__lock, __ATOMIC_RELAXED);
  return word == 2 || word < 0;  // the latter: priority-inheriting, FUTEX_WAITERS
}

// Held, and no thread waits for it or waited before it was taken: such a hold is not timed. The
// words of robust and priority-inheriting mutexes never say so.
TAILBACK_INLINE bool is_plainly_held(const pthread_mutex_t& mutex) {
  return __atomic_load_n(&mutex.__data.__lock, __ATOMIC_RELAXED) == 1;
}
// Whether to time the hold that begins with the end of a wait: its release has to be seen. A thread
// that takes a mutex after spinning, without sleeping, leaves the word of an uncontended one.
TAILBACK_INLINE bool begins_timed_hold(const pthread_mutex_t* mutex) {
  return !is_plainly_held(*mutex);
}
TAILBACK_INLINE bool begins_timed_hold(const mtx_t* mutex) {
  return !is_plainly_held(as_mutex(mutex));
}
TAILBACK_INLINE bool begins_timed_hold(const pthread_rwlock_t*) {
  return true;
}
TAILBACK_INLINE bool begins_timed_hold(const volatile pthread_spinlock_t*) {
  return true;
}
// A semaphore is not held.
TAILBACK_INLINE bool begins_timed_hold(const volatile void*) {
  return false;
}

TAILBACK_INLINE bool is_waited_for(const pthread_rwlock_t& lock) {
  // Bit 1 of either word says that a thread sleeps there.
  return ((__atomic_load_n(&lock.__data.__wrphase_futex, __ATOMIC_RELAXED) |
           __atomic_load_n(&lock.__data.__writers_futex, __ATOMIC_RELAXED)) &
          2) != 0;
}

// The slow halves. `entered` is the tick at which the wait began.
contract::ContendedLock* find_contended(uint64_t lock, intercept::Function function);
void mark_waited_for(contract::ContendedLock& entry, uint64_t since);
void unmark_waited_for(contract::ContendedLock& entry, uint64_t since);
void add_wait(contract::ContendedLock& entry, uint64_t lock, uint64_t call_site, uint64_t entered,
              bool taken, bool is_held);
void end_hold(uint64_t lock, bool waited_for);

// Holds of this thread that are timed.
TAILBACK_HIDDEN extern __thread uint32_t timed_holds;

// Before a release; `waited_for`: another thread may be waiting for what only this thread holds.
TAILBACK_INLINE void time_release(uint64_t lock, bool waited_for) {
  if (!tracks(contract::kTrackContention)) return;
  if (__builtin_expect(waited_for || timed_holds != 0, 0)) end_hold(lock, waited_for);
}

// A wait for a lock that was not free, from before the call until end().
class ContendedWait {
 public:
  // `entered`: the tick of the call's entry.
  template <typename Lock, typename... Others>
  TAILBACK_INLINE ContendedWait(uint64_t entered, intercept::Function function, uint64_t call_site,
                                Lock* lock, Others...) {
    if (!tracks(contract::kTrackContention)) return;
    lock_ = reinterpret_cast<uint64_t>(lock);
    call_site_ = call_site;
    entered_ = entered;
    const int owner = owner_of(lock);
    entry_ = find_contended(lock_, function);
    if (!entry_ || owner == 0) return;
    const uint64_t since = ticks();
    mark_waited_for(*entry_, since);
    // The next holder must not be mistaken for this one.
    if (owner_of(lock) != owner) unmark_waited_for(*entry_, since);
  }
  ContendedWait(const ContendedWait&) = delete;
  ContendedWait& operator=(const ContendedWait&) = delete;

  template <typename Lock, typename... Others>
  TAILBACK_INLINE void end(bool taken, Lock* lock, Others...) {
    if (!entry_) return;
    add_wait(*entry_, lock_, call_site_, entered_, taken, taken && begins_timed_hold(lock));
  }

 private:
  contract::ContendedLock* entry_ = nullptr;
  uint64_t lock_ = 0;
  uint64_t call_site_ = 0;
  uint64_t entered_ = 0;
};

}  // namespace tailback
