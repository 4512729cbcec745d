#include "instrument/recorder/held_locks.h"

#include "instrument/recorder/lock_order.h"

namespace tailback {

using contract::HeldLock;
using contract::HeldLocks;
using contract::kHeldLocks;
using contract::ThreadRecord;

namespace {

const std::atomic<uint32_t> kNothingIsKept{0};

uint32_t count_of(const HeldLocks& held) {
  const uint32_t count = held.count.load(std::memory_order_relaxed);
  return count < kHeldLocks ? count : kHeldLocks;  // the segment is everybody's to write
}

uint64_t chain_before(const HeldLocks& held, uint32_t place) {
  return place == 0 ? 0 : held.locks[place - 1].chain;
}

// Where the lock stands; `count` if it isn't there.
uint32_t find(const HeldLocks& held, uint32_t count, uint64_t lock) {
  for (uint32_t i = count; i-- > 0;) {
    if (held.locks[i].lock.load(std::memory_order_relaxed) == lock) return i;
  }
  return count;
}

void copy(HeldLock& to, const HeldLock& from) {
  constexpr auto relaxed = std::memory_order_relaxed;
  to.lock.store(from.lock.load(relaxed), relaxed);
  to.call_site.store(from.call_site.load(relaxed), relaxed);
  to.since.store(from.since.load(relaxed), relaxed);
  to.how.store(from.how.load(relaxed), relaxed);
  to.generation = from.generation;
}

void remove(HeldLocks& held, uint32_t count, uint32_t place) {
  for (uint32_t i = place; i + 1 < count; ++i) {
    HeldLock& entry = held.locks[i];
    copy(entry, held.locks[i + 1]);
    entry.chain = add_to_chain(chain_before(held, i), entry.lock.load(std::memory_order_relaxed),
                               contract::kind_held(entry.how.load(std::memory_order_relaxed)),
                               entry.generation);
  }
  held.count.store(count - 1, std::memory_order_release);
}

}  // namespace

const std::atomic<uint32_t>* kept_locks_word = &kNothingIsKept;

void find_kept_locks() {
  kept_locks_word = &segment->header.kept_locks;
}

void forget_held_locks(const ThreadRecord& record) {
  HeldLocks& held = locks_of(record);
  held.count.store(0, std::memory_order_relaxed);
  held.missed.store(0, std::memory_order_relaxed);
  if (keeps(contract::kKeepOrder)) __builtin_memset(held.told, 0, sizeof held.told);
}

__attribute__((noinline)) void hold_lock(uint64_t lock, Taken taken, uint64_t call_site) {
  constexpr auto relaxed = std::memory_order_relaxed;
  ThreadRecord* record = current_record();
  if (!record) return;
  HeldLocks& held = locks_of(*record);
  uint32_t count = count_of(held);
  const uint32_t place = find(held, count, lock);
  if (__builtin_expect(place != count, 0)) {
    if (taken.recursive) {
      std::atomic<uint64_t>& how = held.locks[place].how;
      how.store(how.load(relaxed) + contract::kHeldOnce, relaxed);
      return;
    }
    // It was released, by another thread or where we don't see it.
    remove(held, count--, place);
  }
  if (__builtin_expect(count == kHeldLocks, 0)) {
    held.missed.fetch_add(1, relaxed);
    segment->header.held_missed.fetch_add(1, relaxed);
    return;
  }
  HeldLock& entry = held.locks[count];
  const uint32_t kept = kept_locks();
  entry.lock.store(lock, relaxed);
  entry.call_site.store(call_site, relaxed);
  // What is kept does not change within a session: without times it is 0.
  if (kept & contract::kKeepTimes) entry.since.store(ticks(), relaxed);
  entry.how.store(contract::held_as(taken.kind), relaxed);
  if (!(kept & contract::kKeepOrder)) {
    held.count.store(count + 1, std::memory_order_release);
    return;
  }
  entry.generation = lock_generation(lock);
  entry.chain = add_to_chain(chain_before(held, count), lock, taken.kind, entry.generation);
  held.count.store(count + 1, std::memory_order_release);
  if (count > 0 && !taken.tried && !is_told(held, entry.chain)) tell_order(*record, held, count);
}

__attribute__((noinline)) void give_up_lock(uint64_t lock, int owner) {
  constexpr auto relaxed = std::memory_order_relaxed;
  ThreadRecord* record = current_record();
  if (!record) return;
  HeldLocks& held = locks_of(*record);
  const uint32_t count = count_of(held);
  const uint32_t place = find(held, count, lock);
  if (__builtin_expect(place == count, 0)) {
    // Taken before it was kept, or while the list was full; or else by another thread.
    const bool is_foreign = owner != 0 && owner != record->tid.load(relaxed);
    if (is_foreign && keeps(contract::kKeepOrder) && held.missed.load(relaxed) == 0) {
      tell_foreign_release(*record, lock);
    }
    return;
  }
  std::atomic<uint64_t>& how = held.locks[place].how;
  const uint64_t held_as = how.load(relaxed);
  if (__builtin_expect(contract::times_held(held_as) > 1, 0)) {
    how.store(held_as - contract::kHeldOnce, relaxed);
  } else {
    remove(held, count, place);
  }
}

__attribute__((noinline)) void set_given_up(uint64_t lock, bool given_up) {
  ThreadRecord* record = current_record();
  if (!record) return;
  HeldLocks& held = locks_of(*record);
  const uint32_t count = count_of(held);
  const uint32_t place = find(held, count, lock);
  if (place == count) return;
  std::atomic<uint64_t>& how = held.locks[place].how;
  const uint64_t others = how.load(std::memory_order_relaxed) & ~contract::kGivenUp;
  how.store(given_up ? others | contract::kGivenUp : others, std::memory_order_relaxed);
}

}  // namespace tailback
