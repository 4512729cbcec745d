// Where locks are initialised and destroyed.
#include "instrument/recorder/held_locks.h"
#include "instrument/recorder/lock_order.h"

namespace tailback {

using contract::LockOrigin;

namespace {

LockOrigin& place_of(uint64_t key) {
  return segment->lock_origins[contract::lock_key_hash(key) % contract::kLockOrigins];
}

}  // namespace

__attribute__((noinline)) void track_init(uint64_t lock, uint64_t call_site) {
  const contract::ThreadRecord* record = current_record();
  if (!record) return;
  next_lock_generation(lock);
  const uint64_t key = contract::lock_key(record->process.load(std::memory_order_relaxed), lock);
  LockOrigin& origin = place_of(key);
  origin.key.store(0, std::memory_order_relaxed);
  origin.call_site.store(call_site, std::memory_order_relaxed);
  origin.since.store(known_lock_generation(lock), std::memory_order_relaxed);
  origin.until.store(0, std::memory_order_relaxed);
  origin.key.store(key, std::memory_order_release);
}

__attribute__((noinline)) void track_destroy(uint64_t lock) {
  const contract::ThreadRecord* record = current_record();
  if (!record) return;
  const uint32_t last = known_lock_generation(lock);
  next_lock_generation(lock);
  const uint64_t key = contract::lock_key(record->process.load(std::memory_order_relaxed), lock);
  LockOrigin& origin = place_of(key);
  if (origin.key.load(std::memory_order_relaxed) != key) return;
  if (last == 0) {
    origin.key.store(0, std::memory_order_relaxed);
  } else if (origin.until.load(std::memory_order_relaxed) == 0) {
    origin.until.store(last, std::memory_order_relaxed);
  }
}

}  // namespace tailback
