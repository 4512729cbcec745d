#include "instrument/recorder/lock_order.h"

#include "instrument/recorder/lock_ring.h"
#include "instrument/recorder/stack_capture.h"

namespace tailback {

using contract::HeldLock;
using contract::HeldLocks;
using contract::LockEvent;
using contract::LockEventKind;
using contract::TakenLock;
using contract::ThreadRecord;

namespace {

// When more than this is freed at once, all locks of the process get a new generation.
constexpr uint64_t kMostGranules = 1 << 15;

void count_up(uint32_t& generation) {
  if (__atomic_load_n(&generation, __ATOMIC_RELAXED) != 0) {
    __atomic_fetch_add(&generation, 1, __ATOMIC_RELAXED);
  }
}

// What this process's threads have published, so that a thread whose own list of it is too small
// does not fill the ring.
constexpr uint32_t kPublished = 1 << 16;
constexpr uint32_t kWays = 4;
uint64_t published[kPublished];

uint64_t* published_ways(uint64_t key) {
  return &published[mix(key) >> 48 & ~uint64_t{kWays - 1}];
  static_assert(kPublished == 1 << 16);
}

bool is_among_published(uint64_t key) {
  const uint64_t* ways = published_ways(key);
  for (uint32_t i = 0; i < kWays; ++i) {
    if (__atomic_load_n(&ways[i], __ATOMIC_RELAXED) == key) return true;
  }
  return false;
}

void add_to_published(uint64_t key) {
  uint64_t* ways = published_ways(key);
  for (uint32_t i = 0; i < kWays; ++i) {
    if (__atomic_load_n(&ways[i], __ATOMIC_RELAXED) != 0) continue;
    __atomic_store_n(&ways[i], key, __ATOMIC_RELAXED);
    return;
  }
  __atomic_store_n(&ways[key % kWays], key, __ATOMIC_RELAXED);
}

TakenLock as_taken(const HeldLock& entry) {
  return {entry.lock.load(std::memory_order_relaxed),
          entry.call_site.load(std::memory_order_relaxed),
          static_cast<uint32_t>(contract::kind_held(entry.how.load(std::memory_order_relaxed))),
          static_cast<uint32_t>(entry.generation)};
}

void fill(LockEvent& event, LockEventKind kind, const ThreadRecord& record) {
  __builtin_memset(&event, 0, sizeof event);
  event.kind = static_cast<uint32_t>(kind);
  event.record = static_cast<uint32_t>(&record - segment->threads);
  event.generation = record.generation.load(std::memory_order_relaxed);
  event.process = record.process.load(std::memory_order_relaxed);
  event.pid = record.pid.load(std::memory_order_relaxed);
  event.tid = record.tid.load(std::memory_order_relaxed);
  event.tick = ticks();
}

// Stacks that are captured of each sequence, by all threads of the process.
constexpr uint64_t kStacksOfSequence = 2;

// The key under which the next stack of this sequence is counted; 0: there are enough.
uint64_t stack_key(const ThreadRecord& record, uint64_t sequence) {
  const auto pid = static_cast<uint64_t>(record.pid.load(std::memory_order_relaxed));
  for (uint64_t i = 1; i <= kStacksOfSequence; ++i) {
    const uint64_t key = mix(sequence + (i << 60) + (pid << 32));
    if (!is_among_published(key)) return key;
  }
  return 0;
}

}  // namespace

uint32_t lock_generations[kGranules];

void next_lock_generation(uint64_t lock) {
  count_up(generation_at(lock >> kGranuleBits));
}

void next_lock_generations(uint64_t begin, uint64_t size) {
  if (size == 0) return;
  const uint64_t first = begin >> kGranuleBits;
  const uint64_t granules = ((begin + size - 1) >> kGranuleBits) - first + 1;
  if (granules > kMostGranules) {
    for (uint32_t& generation : lock_generations) count_up(generation);
    return;
  }
  for (uint64_t i = 0; i < granules; ++i) count_up(generation_at(first + i));
}

TAILBACK_COLD int publish_order(HeldLocks& held, uint32_t place, int outcome) {
  const ThreadRecord& record = *current_thread.record;
  const uint64_t sequence = held.locks[place].sequence;
  const auto tid = static_cast<uint64_t>(record.tid.load(std::memory_order_relaxed));
  const uint64_t key = mix(sequence ^ tid << 40);
  if (!is_among_published(key)) {
    if (!lock_ring_has_room()) {
      count_lock_event_dropped();
      return outcome;
    }
    LockEvent event;
    fill(event, LockEventKind::kAcquired, record);
    event.taken = as_taken(held.locks[place]);
    event.held_count = place;
    // If not all fit, name the ones that were taken last.
    const uint32_t first = place > contract::kLockEventHeld ? place - contract::kLockEventHeld : 0;
    for (uint32_t i = first; i < place; ++i) event.held[i - first] = as_taken(held.locks[i]);
    const uint64_t stack = stack_key(record, sequence);
    if (stack != 0) event.capture = capture_stack(record);
    if (!push_lock_event(event)) {
      if (event.capture != 0) discard_capture(event.capture);
      return outcome;
    }
    if (event.capture != 0) add_to_published(stack);
    add_to_published(key);
  }
  published_place(held, sequence) = sequence;
  return outcome;
}

TAILBACK_COLD void publish_foreign_release(const ThreadRecord& record, uint64_t lock) {
  const uint64_t key = mix(lock ^ lock_generation(lock) << 48 ^ 1);
  if (is_among_published(key)) return;
  LockEvent event;
  fill(event, LockEventKind::kReleasedByNonOwner, record);
  event.taken.address = lock;
  event.taken.generation = static_cast<uint32_t>(lock_generation(lock));
  if (push_lock_event(event)) add_to_published(key);
}

}  // namespace tailback
