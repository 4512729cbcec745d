// What ThreadSanitizer found in a program that is compiled for it. A plain value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/values/stall.h"

namespace tailback {

// The words are part of the JSON schema: the record's type.
enum class RaceType {
  kRace,          // two threads at one place in memory, of which one writes
  kMutexMisuse,   // a mutex destroyed while held, released by who does not hold it, …
  kThreadLeak,    // a thread that nobody joined or detached
  kSignalUnsafe,  // a call in a signal handler that is not allowed there, or a handler that
                  // changes errno
  kOther,         // what this version does not know
};

inline constexpr std::array<std::string_view, 5> kRaceTypeWords = {
    "race", "mutex-misuse", "thread-leak", "signal-unsafe", "thread-sanitizer"};
constexpr std::string_view word(RaceType type) {
  return kRaceTypeWords[static_cast<size_t>(type)];
}

// A stack and the frame to look at first.
struct RaceStack {
  std::vector<Frame> stack;  // innermost first; empty: it could not be restored
  size_t culprit = 0;        // as in Stall

  bool operator==(const RaceStack&) const = default;
};

struct RaceThread {
  int id = 0;   // ThreadSanitizer's; 0: the main thread
  int tid = 0;  // the kernel's; 0: unknown
  std::string name;
  bool running = true;        // when the report was made
  std::optional<int> parent;  // the id of the one that created it
  RaceStack created;

  bool operator==(const RaceThread&) const = default;
};

struct RaceAccess {
  int thread = 0;  // id
  uint64_t address = 0;
  uint64_t size = 0;  // bytes
  bool write = false;
  bool atomic = false;
  RaceStack at;

  bool operator==(const RaceAccess&) const = default;
};

struct RaceLocation {
  std::string kind;  // "global", "heap", "stack", "tls", "fd"
  std::string name;  // the variable; empty if it has none
  uint64_t address = 0;
  uint64_t size = 0;          // of the variable or the block; 0: unknown
  std::optional<int> thread;  // id: whose stack or thread-local it is, who allocated or opened it
  std::optional<int> fd;
  RaceStack allocated;

  bool operator==(const RaceLocation&) const = default;
};

struct RaceMutex {
  uint64_t id = 0;  // ThreadSanitizer's
  uint64_t address = 0;
  std::string name;  // the variable; empty if it has none
  bool destroyed = false;
  RaceStack created;

  bool operator==(const RaceMutex&) const = default;
};

struct Race {
  RaceType type = RaceType::kRace;
  std::string kind;  // ThreadSanitizer's word: "data-race", "heap-use-after-free", …
  WallTime time;
  int pid = 0;
  std::string process;
  std::vector<RaceAccess> accesses;  // the later one first
  std::vector<RaceStack> stacks;     // of the report as a whole, where no access has them
  std::optional<RaceLocation> location;
  std::vector<RaceMutex> mutexes;
  std::vector<RaceThread> threads;
  std::vector<int> used_threads;    // ids, in the report's own order; not recorded
  RaceStack sleep;                  // "as if synchronized via sleep"
  std::vector<ReportLimit> limits;  // what limits this report
  std::string advice;               // one line
  std::string fingerprint;
};

}  // namespace tailback
