// The first iterations of a poll or select, which are long and over before it is known whether they
// are a loop's. Not to be shared by threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "runtime/detectors/observation.h"

namespace tailback {

class EarlyIterations {
 public:
  bool any() const { return !kept_.empty(); }

  // `stack_pointer`: of the waits before and after it. A program that has many such iterations runs
  // no loop there.
  void keep(uint64_t key, uint64_t stack_pointer, StallSeen stall) {
    constexpr size_t kMostKept = 4;
    if (kept_.size() < kMostKept) kept_.push_back({key, stack_pointer, std::move(stall)});
  }

  // Those of a site that has proved to be a loop's. They are kept no longer, nor are others of it
  // that were at another depth.
  std::vector<StallSeen> take(uint64_t key, uint64_t stack_pointer) {
    std::vector<StallSeen> taken;
    std::erase_if(kept_, [&](Kept& one) {
      if (one.key != key) return false;
      if (one.stack_pointer == stack_pointer) taken.push_back(std::move(one.stall));
      return true;
    });
    return taken;
  }

 private:
  struct Kept {
    uint64_t key = 0;
    uint64_t stack_pointer = 0;
    StallSeen stall;
  };
  std::vector<Kept> kept_;
};

}  // namespace tailback
