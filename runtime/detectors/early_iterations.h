// The first iterations of a poll or select, which are long and over before it is known whether they
// are a loop's. Not to be shared by threads.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/detectors/observation.h"

namespace tailback {

class EarlyIterations {
 public:
  bool any() const { return !kept_.empty(); }

  // `stack_pointer`: of the waits before and after it. A program that has many such iterations runs
  // no loop there. In an interpreter call site and depth are the same for all waits of a program,
  // before its loop and in it: there nothing is kept.
  void keep(uint64_t key, uint64_t stack_pointer, StallSeen stall);

  // Those of a site that has proved to be a loop's. They are kept no longer, nor are others of it
  // that were at another depth.
  std::vector<StallSeen> take(uint64_t key, uint64_t stack_pointer);

 private:
  struct Kept {
    uint64_t key = 0;
    uint64_t stack_pointer = 0;
    StallSeen stall;
  };
  std::vector<Kept> kept_;
};

}  // namespace tailback
