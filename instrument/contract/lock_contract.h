// What the recorder tracks of locks: which a thread holds, who took a semaphore last, where a lock
// was initialised, and the order in which locks are taken. A part of the record contract
// (record_contract.h); its rules and marks hold here too.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <atomic>

#include "instrument/contract/addresses.h"
#include "instrument/contract/hash.h"

namespace tailback::contract {

inline constexpr uint32_t kHeldLocks = 32;            // of one thread
inline constexpr uint32_t kPublishedSequences = 128;  // a power of two
inline constexpr uint32_t kLockEventHeld = 16;        // held locks that an event names
inline constexpr uint32_t kLockRingCapacity = 16384;  // a power of two
inline constexpr uint32_t kSemaphoreUses = 4096;      // a power of two
inline constexpr uint32_t kLockOrigins = 65536;       // a power of two

// What is tracked: bits of Header::tracked_locks. [observer]
enum TrackedLocks : uint32_t {
  kTrackReaders = 1,     // read locks, as no lock names its readers
  kTrackOwners = 2,      // mutexes, write locks and spin locks
  kTrackSemaphores = 4,  // who took a semaphore last
  kTrackOrder = 16,  // held-lock sequences go into the ring; with kTrackReaders and kTrackOwners
  kTrackContention = 32,  // how long threads wait for locks and hold them
};

enum class HeldKind : uint32_t {
  kNone = 0,
  kMutex = 1,  // C11's too
  kRead = 2,   // a read-write lock, for reading
  kWrite = 3,  // the same, for writing
  kSpin = 4,
};

// One lock that a thread holds. [recorder]
struct HeldLock {
  std::atomic<uint64_t> lock;       // its address
  std::atomic<uint64_t> call_site;  // of the outermost acquisition
  std::atomic<uint32_t> how;        // see held_as()
  uint32_t generation;              // see TakenLock; only with kTrackOrder
  uint64_t sequence;  // hash of the held-lock sequence that ends here; for the first lock it is not
                      // set. The recorder's own
};

// HeldLock::how: the HeldKind in the low byte, and above it how many times the lock is held
// (recursive ones, and reads).
inline constexpr uint32_t kHeldOnce = 1 << 8;
constexpr uint32_t held_as(HeldKind kind) {
  return static_cast<uint32_t>(kind) | kHeldOnce;
}
constexpr HeldKind kind_held(uint32_t how) {
  return static_cast<HeldKind>(how & 0xff);
}
constexpr uint32_t times_held(uint32_t how) {
  return how >> 8;
}

// The locks that a thread holds, of the kinds that are tracked, in the order of their acquisition.
// Beside its record. [recorder]
// Valid while the record is live and keeps its generation. To read it: copy until two copies in a
// row are the same, a few times at most; a thread that waits does not change it. Another thread may
// have released a lock of the list, or a call that is not intercepted: where the lock itself names
// its owner, believe the lock.
struct alignas(64) HeldLocks {
  std::atomic<uint32_t> count;   // of `locks`
  std::atomic<uint32_t> missed;  // acquisitions by this thread that found the list full
  uint64_t reserved[3];
  HeldLock locks[kHeldLocks];
  uint64_t published[kPublishedSequences];  // sequences in the ring by now; the recorder's own
};

// The key of a lock in the tables that all processes share: its address, and above it the index of
// its process. Where two locks share a slot, the later one has it; a reader compares the key.
constexpr uint64_t lock_key(uint32_t process, uint64_t address) {
  return (address & kAddressMask) | uint64_t{process & 0xffff} << kAddressBits;
}
constexpr uint64_t address_of_lock_key(uint64_t key) {
  return key & kAddressMask;
}
constexpr uint32_t lock_key_hash(uint64_t key) {
  return static_cast<uint32_t>(spread(key) >> 32);
}

// How a semaphore is used. At lock_key_hash(key) % kSemaphoreUses. [recorder]
struct SemaphoreUse {
  std::atomic<uint64_t> key;     // 0: free
  std::atomic<int32_t> taker;    // tid of the thread that took it last; 0: nobody has
  std::atomic<uint32_t> posted;  // PostedBy
};
// Who has posted it so far. If only its takers have, the program uses it as a lock.
enum PostedBy : uint32_t { kPostedByTaker = 1, kPostedByOther = 2 };

// Where a lock was initialised: the return address of pthread_mutex_init and the like. Tracked with
// kTrackOwners, and valid after the lock's end too: the observer may not have read all events of
// it. At lock_key_hash(key) % kLockOrigins. [recorder]
struct LockOrigin {
  std::atomic<uint64_t> key;  // 0: free
  std::atomic<uint64_t> call_site;
  // The lock's generations (see TakenLock), the first and the last; 0: it has not ended.
  std::atomic<uint32_t> since;
  std::atomic<uint32_t> until;
};

enum class LockEventKind : uint32_t {
  kAcquired = 1,  // `taken` was taken while `held` were held: a sequence that is new to this thread
  kReleasedByNonOwner =
      2,  // `taken` was released by a thread that did not hold it: its holder is unknown
};

struct TakenLock {
  uint64_t address;
  uint64_t call_site;
  uint32_t kind;  // HeldKind
  // Distinguishes two locks at one address: it changes when one is initialised or destroyed, and
  // when its memory is freed, as far as the recorder sees that. Per process.
  uint32_t generation;
};

// An entry of the ring of locks. [recorder]
struct LockEvent {
  uint32_t kind;  // LockEventKind
  uint32_t record;
  uint32_t generation;  // of the record
  uint32_t process;
  int32_t pid;
  int32_t tid;
  uint64_t tick;
  uint32_t capture;     // the index of its StackCapture and one; 0: none was free or could be had
  uint32_t held_count;  // as many as were held; those beyond kLockEventHeld are not named
  TakenLock taken;
  TakenLock held[kLockEventHeld];
};

// As RingSlot.
struct alignas(64) LockSlot {
  std::atomic<uint64_t> sequence;
  LockEvent event;
};

static_assert(sizeof(HeldLock) == 32);
static_assert(sizeof(HeldLocks) == 2112);
static_assert(sizeof(LockEvent) == 448);
static_assert(sizeof(LockSlot) == 512);
static_assert((kLockRingCapacity & (kLockRingCapacity - 1)) == 0);
static_assert((kPublishedSequences & (kPublishedSequences - 1)) == 0);

}  // namespace tailback::contract
