// The ways in which an iteration is made long, each with its true cause.
#pragma once

#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/benchmarks/accuracy/target/thread_times.h"

namespace tailback::accuracy {

using Milliseconds = std::chrono::milliseconds;

struct StallKind {
  std::string_view group;   // kinds of one group share a line of the table
  std::string_view name;    // the function that blocks
  std::string_view causes;  // the true one; several, with commas, where no word fits better
  void (*block)(Milliseconds length);
  bool one_thread = false;  // only in a process with one loop, on its first thread
};

// A part of a long iteration, and how long it took indeed.
struct StallPart {
  const StallKind* kind = nullptr;
  int64_t length_ns = 0;
  int64_t runnable_ns = 0;  // of that, ready to run without a CPU
};

// Draws stalls, and brings them about. For one thread.
class StallSource {
 public:
  // `only_groups`: none means all. `alone`: this is the only loop of the process.
  StallSource(uint64_t seed, const std::vector<std::string>& only_groups, bool alone);

  // Groups come by iterations, in random order; a group's kinds at random.
  std::string_view next_group();
  // To be called in turns of their own before and after a stall of the group: what is slow to bring
  // about and is no part of it.
  static void prepare(std::string_view group);
  static void settle(std::string_view group);
  // Blocks for about `length` in one way of the group, or in two of different causes of which the
  // first in the result took most, if the group is "several".
  std::vector<StallPart> block(std::string_view group, Milliseconds length);

 private:
  const StallKind* draw(std::string_view group);
  StallPart run_part(const StallKind& kind, Milliseconds length) const;
  std::vector<StallPart> block_twice(Milliseconds length);

  std::mt19937_64 random_;
  bool alone_;
  ThreadClock clock_;
  std::vector<std::string_view> groups_;
  std::vector<std::string_view> round_;
};

// Must be called before the process has any thread: some kinds need a helper process, or a control
// group. Returns the groups that can't be had here, with the reason.
std::vector<std::string> prepare_stalls();
// Ends what prepare_stalls() has started.
void clean_up_after_stalls();

}  // namespace tailback::accuracy
