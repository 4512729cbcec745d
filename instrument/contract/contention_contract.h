// How long locks were waited for and held (kTrackContention). A part of the record contract
// (record_contract.h); its rules and marks hold here too.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <atomic>

namespace tailback::contract {

inline constexpr uint32_t kContendedLocks = 8192;  // a power of two
inline constexpr uint32_t kContentionSites = 4;    // of one lock

// The waits of one call site for one lock. Not read in one piece: each number is right by itself.
// [recorder]
struct ContentionSite {
  std::atomic<uint64_t> call_site;  // 0: free
  std::atomic<uint64_t> waits;
  std::atomic<uint64_t> total_ticks;
  std::atomic<uint64_t> longest_ticks;
};

enum class ContendedState : uint32_t {
  kFree = 0,
  kClaimed = 1,  // [recorder] free → claimed, while it fills in which lock it is
  kLive = 2,     // [recorder] claimed → live, for the rest of the session
};

// A lock that was waited for. One lock may have several: two threads that wait for the first time
// at once do not wait for each other. [recorder]
struct alignas(64) ContendedLock {
  std::atomic<uint32_t> state;     // ContendedState
  std::atomic<int32_t> pid;        // of the process
  std::atomic<uint64_t> key;       // lock_key() of its address
  std::atomic<uint64_t> origin;    // where it was initialised (see LockOrigin); 0: unknown
  std::atomic<uint32_t> function;  // an intercept::Function: that of the first wait
  std::atomic<uint32_t> process_generation;
  std::atomic<uint64_t> waits;
  std::atomic<uint64_t> total_ticks;
  std::atomic<uint64_t> longest_ticks;
  // The longest hold whose beginning was seen, as it ended a wait; and the longest part of a hold
  // for which somebody waited. 0: none was seen.
  std::atomic<uint64_t> hold_ticks;
  std::atomic<uint64_t> hold_part_ticks;
  // Since when the one who holds it has been waited for; 0: unknown. No business of the observer's.
  std::atomic<uint64_t> waited_since;
  // Waits of sites that found no place.
  std::atomic<uint64_t> other_waits;
  std::atomic<uint64_t> other_ticks;
  uint64_t reserved[3];
  ContentionSite sites[kContentionSites];
};

static_assert(sizeof(ContentionSite) == 32);
static_assert(sizeof(ContendedLock) == 256);
static_assert((kContendedLocks & (kContendedLocks - 1)) == 0);

}  // namespace tailback::contract
