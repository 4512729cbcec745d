#include "instrument/recorder/contention.h"

namespace tailback {

using contract::ContendedLock;
using contract::ContendedState;
using contract::ContentionSite;
using contract::ThreadRecord;

namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr uint32_t kMostSteps = 64;

struct TimedHold {
  uint64_t lock;
  uint64_t since;
};
constexpr uint32_t kTimedHolds = 8;
__thread TimedHold holds[kTimedHolds];

// The lock's place; `count` if it is not there. A signal handler may run between any two steps: at
// worst a hold is lost.
uint32_t place_of(uint64_t lock, uint32_t count) {
  uint32_t place = 0;
  while (place < count && holds[place].lock != lock) ++place;
  return place;
}

uint64_t origin_of(uint64_t key) {
  const contract::LockOrigin& origin =
      segment->lock_origins[contract::lock_key_hash(key) % contract::kLockOrigins];
  const bool is_its = origin.key.load(relaxed) == key && origin.until.load(relaxed) == 0;
  return is_its ? origin.call_site.load(relaxed) : 0;
}

struct Identity {
  uint64_t key;
  uint64_t origin;
  int32_t pid;
};

Identity identity_of(const ThreadRecord& record, uint64_t lock) {
  const uint64_t key = contract::lock_key(record.process.load(relaxed), lock);
  return {key, origin_of(key), record.pid.load(relaxed)};
}

bool is_of(const ContendedLock& entry, const Identity& identity) {
  return entry.key.load(relaxed) == identity.key && entry.origin.load(relaxed) == identity.origin &&
         entry.pid.load(relaxed) == identity.pid;
}

ContendedLock& entry_at(uint64_t place) {
  return segment->contended[place % contract::kContendedLocks];
}

// Entries are never removed, so a free one ends the search.
ContendedLock* find(const Identity& identity) {
  const uint64_t first = contract::lock_key_hash(identity.key);
  for (uint32_t i = 0; i < kMostSteps; ++i) {
    ContendedLock& entry = entry_at(first + i);
    const auto state = static_cast<ContendedState>(entry.state.load(std::memory_order_acquire));
    if (state == ContendedState::kFree) return nullptr;
    if (state == ContendedState::kLive && is_of(entry, identity)) return &entry;
  }
  return nullptr;
}

ContendedLock* claim(const Identity& identity, const ThreadRecord& record,
                     intercept::Function function) {
  const uint64_t first = contract::lock_key_hash(identity.key);
  for (uint32_t i = 0; i < kMostSteps; ++i) {
    ContendedLock& entry = entry_at(first + i);
    auto state = static_cast<uint32_t>(ContendedState::kFree);
    if (!entry.state.compare_exchange_strong(state,
                                             static_cast<uint32_t>(ContendedState::kClaimed))) {
      continue;
    }
    entry.key.store(identity.key, relaxed);
    entry.origin.store(identity.origin, relaxed);
    entry.pid.store(identity.pid, relaxed);
    entry.function.store(static_cast<uint32_t>(function), relaxed);
    const uint32_t process = record.process.load(relaxed) % contract::kProcessCapacity;
    entry.process_generation.store(segment->processes[process].generation.load(relaxed), relaxed);
    entry.state.store(static_cast<uint32_t>(ContendedState::kLive), std::memory_order_release);
    segment->header.contended_used.fetch_add(1, std::memory_order_release);
    return &entry;
  }
  return nullptr;
}

void raise(std::atomic<uint64_t>& greatest, uint64_t value) {
  uint64_t seen = greatest.load(relaxed);
  while (value > seen && !greatest.compare_exchange_weak(seen, value, relaxed)) {
  }
}

ContentionSite* site_of(ContendedLock& entry, uint64_t call_site) {
  for (ContentionSite& site : entry.sites) {
    uint64_t seen = site.call_site.load(relaxed);
    if (seen == 0 && site.call_site.compare_exchange_strong(seen, call_site, relaxed)) return &site;
    if (seen == call_site) return &site;
  }
  return nullptr;
}

}  // namespace

__thread uint32_t timed_holds = 0;

TAILBACK_COLD ContendedLock* find_contended(uint64_t lock, intercept::Function function) {
  const ThreadRecord* record = current_record();
  if (!record) return nullptr;
  const Identity identity = identity_of(*record, lock);
  ContendedLock* entry = find(identity);
  if (!entry) entry = claim(identity, *record, function);
  if (!entry) segment->header.contended_missed.fetch_add(1, relaxed);
  return entry;
}

void mark_waited_for(ContendedLock& entry, uint64_t since) {
  uint64_t none = 0;
  entry.waited_since.compare_exchange_strong(none, since);
}

void unmark_waited_for(ContendedLock& entry, uint64_t since) {
  entry.waited_since.compare_exchange_strong(since, 0);
}

TAILBACK_COLD void add_wait(ContendedLock& entry, uint64_t lock, uint64_t call_site,
                            uint64_t entered, bool taken, bool is_held) {
  const uint64_t now = ticks();
  const uint64_t length = now > entered ? now - entered : 0;
  entry.waits.fetch_add(1, relaxed);
  entry.total_ticks.fetch_add(length, relaxed);
  raise(entry.longest_ticks, length);
  if (ContentionSite* site = site_of(entry, call_site)) {
    site->waits.fetch_add(1, relaxed);
    site->total_ticks.fetch_add(length, relaxed);
    raise(site->longest_ticks, length);
  }
  if (!taken) return;
  // The holder that was waited for has released it.
  entry.waited_since.store(0, relaxed);
  if (!is_held) return;
  const uint32_t count = timed_holds;
  uint32_t place = place_of(lock, count);
  // Some stay for ever, as a call that is not intercepted has released them.
  if (place == kTimedHolds) place = now % kTimedHolds;
  holds[place] = {lock, now};
  if (place == count) timed_holds = count + 1;
}

TAILBACK_COLD void end_hold(uint64_t lock, bool waited_for) {
  const uint32_t count = timed_holds;
  const uint32_t place = place_of(lock, count);
  const bool is_timed = place < count;
  if (!is_timed && !waited_for) return;
  const uint64_t now = ticks();
  uint64_t since = 0;
  if (is_timed) {
    since = holds[place].since;
    holds[place] = holds[count - 1];
    timed_holds = count - 1;
  }
  const ThreadRecord* record = current_record();
  if (!record) return;
  ContendedLock* entry = find(identity_of(*record, lock));
  if (!entry) return;
  const uint64_t waited_since = entry->waited_since.exchange(0);
  if (is_timed) {
    raise(entry->hold_ticks, now - since);
  } else if (waited_since != 0 && waited_since < now) {
    raise(entry->hold_part_ticks, now - waited_since);
  }
}

}  // namespace tailback
