// How long threads wait for locks and hold them (kTrackContention). A part of the record contract
// (record_contract.h); its rules and marks hold here too.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <atomic>

namespace tailback::contract {

inline constexpr uint32_t kContendedLocks = 8192;  // a power of two
inline constexpr uint32_t kContentionSites = 4;    // of one lock

// The waits of one call site for one lock. Each number is right by itself; together they may be of
// different moments.
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

// A lock that threads have waited for. One lock may have several: two threads that wait for it for
// the first time at the same moment may each make one. [recorder]
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
  // The longest hold that began with the end of a wait, and the longest part of a hold in which
  // another thread waited. 0: none was seen.
  std::atomic<uint64_t> hold_ticks;
  std::atomic<uint64_t> hold_part_ticks;
  // Since when a thread has been waiting for the present holder; 0: unknown. The recorder's own.
  std::atomic<uint64_t> waited_since;
  uint64_t reserved[5];
  ContentionSite sites[kContentionSites];
};

static_assert(sizeof(ContentionSite) == 32);
static_assert(sizeof(ContendedLock) == 256);
static_assert((kContendedLocks & (kContendedLocks - 1)) == 0);

}  // namespace tailback::contract
