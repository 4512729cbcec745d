// What really happened, as JSON lines. Kept in memory while a loop runs: a write to a disk would be
// a stall of its own.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/benchmarks/accuracy/target/stall_kinds.h"
#include "tests/benchmarks/accuracy/target/thread_times.h"

namespace tailback::accuracy {

// An iteration, by the loop's own clock.
struct TrueIteration {
  uint64_t number = 0;  // of the planned stalls of its thread, from 1; 0: this was not planned
  std::string_view group;
  int64_t begin_ns = 0;  // CLOCK_MONOTONIC
  int64_t length_ns = 0;
  ThreadTimes spent;
  std::vector<StallPart> parts;
};

class TruthLog {
 public:
  // Takes over what one loop has seen. Safe from any thread.
  void add_loop(std::string_view kind, int tid, uint64_t iterations,
                const std::vector<TrueIteration>& long_iterations);
  void add_lacking(const std::vector<std::string>& reasons);
  // Returns whether all was written.
  bool write(const std::string& path) const;

 private:
  std::mutex mutex_;
  std::string lines_;
};

}  // namespace tailback::accuracy
