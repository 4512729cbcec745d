// Which locks this thread holds, tracked in the segment for the observer, and the order in which
// threads take locks.
//
// The observer says what is tracked (TrackedLocks); for the rest the cost is one test of that word.
#pragma once

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>

#include "instrument/recorder/thread_state.h"

namespace tailback {

using contract::HeldKind;

// The segment's word, or one that is 0 where there is no session.
TAILBACK_HIDDEN extern const std::atomic<uint32_t>* tracked_locks_word;
// To be called once there is a segment.
void find_tracked_locks();

TAILBACK_INLINE contract::HeldLocks& held_locks_of(const contract::ThreadRecord& record) {
  return segment->held_locks[&record - segment->threads];
}
// To be called when a record gets a new owner.
void forget_held_locks(const contract::ThreadRecord& record);

TAILBACK_INLINE uint32_t tracked_locks() {
  return tracked_locks_word->load(std::memory_order_relaxed);
}
TAILBACK_INLINE bool tracks(uint32_t kinds) {
  return __builtin_expect((tracked_locks() & kinds) != 0, 0);
}
constexpr uint32_t tracked_as(HeldKind kind) {
  return kind == HeldKind::kRead ? contract::kTrackReaders : contract::kTrackOwners;
}

// How a thread took a lock. `recursive`: it may hold the lock already. `tried`: it would not have
// waited for the lock. One word, so that it is passed in a register.
class Taken {
 public:
  constexpr Taken(HeldKind kind, bool recursive = false, bool tried = false)
      : word_(static_cast<uint32_t>(kind) | (recursive ? kRecursive : 0) | (tried ? kTried : 0)) {}

  constexpr HeldKind kind() const { return static_cast<HeldKind>(word_ & 0xff); }
  constexpr bool recursive() const { return (word_ & kRecursive) != 0; }
  constexpr bool tried() const { return (word_ & kTried) != 0; }

 private:
  static constexpr uint32_t kRecursive = 1 << 8;
  static constexpr uint32_t kTried = 1 << 9;
  uint32_t word_;
};

// For kinds that are tracked. Returns `outcome`, so that an interceptor ends with a jump here.
int track_acquire_unordered(uint64_t lock, Taken taken, uint64_t call_site, int outcome);
int track_acquire_ordered(uint64_t lock, Taken taken, uint64_t call_site, int outcome);
TAILBACK_INLINE int track_acquire(uint32_t tracked, uint64_t lock, Taken taken, uint64_t call_site,
                                  int outcome) {
  if (tracked & contract::kTrackOrder)
    return track_acquire_ordered(lock, taken, call_site, outcome);
  return track_acquire_unordered(lock, taken, call_site, outcome);
}
TAILBACK_INLINE int track_acquire(uint64_t lock, Taken taken, uint64_t call_site) {
  return track_acquire(tracked_locks(), lock, taken, call_site, 0);
}
// `owner` is the thread id that the lock names; 0: none, kUnknownOwner: the lock does not name it.
void track_release(uint64_t lock, int owner);
inline constexpr int kUnknownOwner = -1;
void track_init(uint64_t lock, uint64_t call_site);
void track_destroy(uint64_t lock);

// Removes the lock from the list if it was taken last, and once: the usual case. False: call
// track_release().
TAILBACK_INLINE bool release_last(uint64_t lock) {
  if (__builtin_expect(!still_in_same_process() || !current_thread.held, 0)) return false;
  contract::HeldLocks& held = *current_thread.held;
  const uint32_t last = held.count.load(std::memory_order_relaxed) - 1;
  if (__builtin_expect(last >= contract::kHeldLocks, 0)) return false;
  const contract::HeldLock& entry = held.locks[last];
  if (__builtin_expect(entry.lock.load(std::memory_order_relaxed) != lock ||
                           entry.how.load(std::memory_order_relaxed) >= 2 * contract::kHeldOnce,
                       0)) {
    return false;
  }
  held.count.store(last, std::memory_order_release);
  return true;
}

// C11's mutexes are mutexes.
TAILBACK_INLINE const pthread_mutex_t& as_mutex(const pthread_mutex_t* mutex) {
  return *mutex;
}
TAILBACK_INLINE const pthread_mutex_t& as_mutex(const mtx_t* mutex) {
  return *reinterpret_cast<const pthread_mutex_t*>(mutex);
}
template <typename Mutex>
TAILBACK_INLINE bool is_recursive(const Mutex* mutex) {
  return (as_mutex(mutex).__data.__kind & 3) == PTHREAD_MUTEX_RECURSIVE_NP;
}
template <typename Mutex>
TAILBACK_INLINE int owner_in(const Mutex* mutex) {
  return __atomic_load_n(&as_mutex(mutex).__data.__owner, __ATOMIC_RELAXED);
}

template <typename Lock>
TAILBACK_INLINE uint64_t address_of(const volatile Lock* lock) {
  return reinterpret_cast<uint64_t>(lock);
}

// A thread takes a mutex whose owner has died, too.
TAILBACK_INLINE bool was_taken(int outcome) {
  return outcome == 0 || outcome == EOWNERDEAD;
}

// After a lock operation; they return `outcome`, which the operation returned. The call site may be
// a CallSite, which is read only when it is needed.
template <typename Mutex, typename Site>
TAILBACK_INLINE int track_mutex(const Mutex* mutex, int outcome, Site call_site,
                                bool tried = false) {
  const uint32_t tracked = tracked_locks();
  if (__builtin_expect(!(tracked & contract::kTrackOwners), 1) || !was_taken(outcome))
    return outcome;
  return track_acquire(tracked, address_of(mutex), {HeldKind::kMutex, is_recursive(mutex), tried},
                       call_site, outcome);
}
template <typename Lock, typename Site>
TAILBACK_INLINE int track_lock(HeldKind kind, const volatile Lock* lock, int outcome,
                               Site call_site, bool tried = false) {
  const uint32_t tracked = tracked_locks();
  if (__builtin_expect(!(tracked & tracked_as(kind)), 1) || outcome != 0) return outcome;
  return track_acquire(tracked, address_of(lock), {kind, kind == HeldKind::kRead, tried}, call_site,
                       0);
}

// Who took a semaphore last, and who posts it.
int track_taker(uint64_t semaphore, int outcome = 0);
void track_post(uint64_t semaphore);
void forget_semaphore(uint64_t semaphore);

TAILBACK_INLINE int track_semaphore(const sem_t* semaphore, int outcome) {
  if (!tracks(contract::kTrackSemaphores) || outcome != 0) return outcome;
  return track_taker(address_of(semaphore), outcome);
}

// A mutex that is released for as long as a wait on a condition lasts, and then taken again. After
// a cancelled wait the thread holds it too, but it is not tracked.
class ReleasedForWait {
 public:
  template <typename Mutex>
  TAILBACK_INLINE ReleasedForWait(const Mutex* mutex, uint64_t call_site) {
    if (!tracks(contract::kTrackOwners)) return;
    mutex_ = address_of(mutex);
    call_site_ = call_site;
    is_recursive_ = is_recursive(mutex);
    track_release(mutex_, owner_in(mutex));
  }
  ReleasedForWait(const ReleasedForWait&) = delete;
  ReleasedForWait& operator=(const ReleasedForWait&) = delete;
  TAILBACK_INLINE ~ReleasedForWait() {
    if (mutex_) track_acquire(mutex_, {HeldKind::kMutex, is_recursive_}, call_site_);
  }

 private:
  uint64_t mutex_ = 0;
  uint64_t call_site_ = 0;
  bool is_recursive_ = false;
};

}  // namespace tailback
