// What code inside a target finds by itself and puts into the segment as one message: reports of
// ThreadSanitizer, and others that the observer can't see from outside. A part of the record
// contract (record_contract.h); its rules and marks hold here too.
#pragma once

#include <stdint.h>

#include <atomic>

namespace tailback::contract {

inline constexpr uint32_t kFindings = 64;
inline constexpr uint32_t kFindingBytes = 64 * 1024 - 64;
inline constexpr uint32_t kFindingTextBytes = 256;  // the NUL included

enum class FindingKind : uint32_t {
  kThreadSanitizer = 1,  // one of its reports: blocks
  // A coroutine that was destroyed before it began: kStackCopy of where it was created, or kText of
  // the warning that Python's interpreter wrote.
  kNeverAwaited = 2,
};

enum class FindingState : uint32_t {
  kFree = 0,
  kClaimed = 1,  // [recorder] free → claimed, while it is written
  kFilled = 2,  // [recorder] claimed → filled; [observer] filled → free. The observer also frees
                // one whose writer has died
};

// `data` holds blocks, one behind the other, up to `size`.
struct alignas(64) Finding {
  std::atomic<uint32_t> state;  // FindingState
  std::atomic<int32_t> pid;     // [recorder] while claimed
  int32_t tid;
  uint32_t kind;     // FindingKind
  uint32_t process;  // index of the ProcessRecord
  uint32_t size;     // bytes of `data` that are valid
  uint64_t tick;
  uint64_t reserved[3];
  alignas(64) char data[kFindingBytes];
};

// What a block holds. Numbers are ThreadSanitizer's own unless said otherwise.
enum class BlockKind : uint32_t {
  kReport = 1,    // the first: `text` is the report's kind
  kStack = 2,     // a stack of the report as a whole
  kAccess = 3,    // `address`, `size`, `thread`, kWrite, kAtomic
  kLocation = 4,  // `text` is its kind; `address` within `start` and `size`; `thread`, `number`: fd
  kMutex = 5,     // `number`, `address`, kDestroyed
  kThread = 6,    // `thread`, `number`: its id for the kernel, `text`: name, `parent`, kRunning
  kSleep = 7,     // a sleep that seems to be used in place of synchronization
  kThreadUsed = 8,  // `thread`: one that the report is about
  // Bytes in place of addresses, `size` of them, padded with zeros:
  kStackCopy = 9,  // a Context, and the stack from `address` upwards, as far as it was copied
  kText = 10,      // a text as it was written
};
enum BlockFlags : uint32_t { kWrite = 1, kAtomic = 2, kDestroyed = 4, kRunning = 8 };

// Followed by `frames` addresses of 8 bytes, innermost first, each what its call returns to.
struct FindingBlock {
  uint32_t kind;  // BlockKind
  uint32_t frames;
  uint32_t flags;  // BlockFlags
  int32_t thread;
  int32_t parent;
  uint32_t reserved;
  uint64_t address;
  uint64_t start;
  uint64_t size;
  int64_t number;
  char text[kFindingTextBytes];  // up to a NUL
};

static_assert(sizeof(Finding) == 64 * 1024);
static_assert(sizeof(FindingBlock) == 312);

}  // namespace tailback::contract
