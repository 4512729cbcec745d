// Which locks this thread holds, kept in the segment for the observer, and the order in which locks
// are taken.
//
// What is kept is the observer's to say (KeptLocks); what is not costs one look at that word.
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <threads.h>

#include "instrument/recorder/thread_state.h"

namespace tailback {

using contract::HeldKind;

// The segment's word, or one that is 0 where there is no session.
extern const std::atomic<uint32_t>* kept_locks_word;
// To be called once there is a segment.
void find_kept_locks();

// To be called when a record gets a new owner.
void forget_held_locks(const contract::ThreadRecord& record);

TAILBACK_INLINE uint32_t kept_locks() {
  return kept_locks_word->load(std::memory_order_relaxed);
}
TAILBACK_INLINE bool keeps(uint32_t kinds) {
  return __builtin_expect((kept_locks() & kinds) != 0, 0);
}
constexpr uint32_t kept_as(HeldKind kind) {
  return kind == HeldKind::kRead ? contract::kKeepReaders : contract::kKeepOwners;
}

// How a lock came to be taken.
struct Taken {
  HeldKind kind;
  bool recursive = false;  // it may be held already
  bool tried = false;      // had it not been free, the thread would not have waited
};

// The slow halves: for kinds that are kept.
void hold_lock(uint64_t lock, Taken taken, uint64_t call_site);
// `owner` is the thread id that the lock names; 0: none, kNobodyKnows: it doesn't say.
void give_up_lock(uint64_t lock, int owner);
inline constexpr int kNobodyKnows = -1;
void begin_lock(uint64_t lock, uint64_t call_site);
void end_lock(uint64_t lock);
void set_given_up(uint64_t lock, bool given_up);

TAILBACK_INLINE contract::HeldLocks& locks_of(const contract::ThreadRecord& record) {
  return segment->held_locks[&record - segment->threads];
}

// Mostly it is the one that was taken last.
TAILBACK_INLINE void give_up(uint64_t lock, int owner) {
  if (const contract::ThreadRecord* record = current_record()) {
    contract::HeldLocks& held = locks_of(*record);
    const uint32_t last = held.count.load(std::memory_order_relaxed) - 1;
    if (__builtin_expect(last < contract::kHeldLocks, 1)) {
      const contract::HeldLock& entry = held.locks[last];
      if (__builtin_expect(entry.lock.load(std::memory_order_relaxed) == lock &&
                               entry.how.load(std::memory_order_relaxed) < 2 * contract::kHeldOnce,
                           1)) {
        held.count.store(last, std::memory_order_release);
        return;
      }
    }
  }
  give_up_lock(lock, owner);
}

// Of mutexes and of C11's, which are the same.
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

template <typename Lock>
TAILBACK_INLINE uint64_t address_of(const volatile Lock* lock) {
  return reinterpret_cast<uint64_t>(lock);
}

// A mutex whose owner has died is taken all the same.
TAILBACK_INLINE bool was_taken(int outcome) {
  return outcome == 0 || outcome == EOWNERDEAD;
}

// After a lock operation; `outcome` is what it returned. The call site may be a CallSite, which is
// looked up when it is needed.
template <typename Mutex, typename Site>
TAILBACK_INLINE void note_mutex(const Mutex* mutex, int outcome, Site call_site,
                                bool tried = false) {
  if (!keeps(contract::kKeepOwners) || !was_taken(outcome)) return;
  hold_lock(address_of(mutex), {HeldKind::kMutex, is_recursive(mutex), tried}, call_site);
}
template <typename Lock, typename Site>
TAILBACK_INLINE void note_lock(HeldKind kind, const volatile Lock* lock, int outcome,
                               Site call_site, bool tried = false) {
  if (!keeps(kept_as(kind)) || !was_taken(outcome)) return;
  hold_lock(address_of(lock), {kind, kind == HeldKind::kRead, tried}, call_site);
}

// Who took a semaphore last, and who posts it.
void note_taker(uint64_t semaphore);
void note_post(uint64_t semaphore);
void forget_semaphore(uint64_t semaphore);

TAILBACK_INLINE void note_semaphore(const sem_t* semaphore, int outcome) {
  if (keeps(contract::kKeepSemaphores) && outcome == 0) note_taker(address_of(semaphore));
}

// A mutex that is given up for as long as a wait on a condition lasts. A cancelled wait has it
// again and its entry says otherwise, until it is released.
class GivenUp {
 public:
  template <typename Mutex>
  TAILBACK_INLINE explicit GivenUp(const Mutex* mutex)
      : mutex_(keeps(contract::kKeepOwners) ? address_of(mutex) : 0) {
    if (mutex_) set_given_up(mutex_, true);
  }
  GivenUp(const GivenUp&) = delete;
  GivenUp& operator=(const GivenUp&) = delete;
  TAILBACK_INLINE ~GivenUp() {
    if (mutex_) set_given_up(mutex_, false);
  }

 private:
  uint64_t mutex_;
};

}  // namespace tailback
