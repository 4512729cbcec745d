// BlockingCalls added up by kind and culprit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/values/blocking_call.h"

namespace tailback {

class BlockingCallTally {
 public:
  // A target can make up culprits without end; calls that come once the table is full are only
  // counted.
  static constexpr size_t kCulprits = 1024;

  // Takes one that was seen, or the sum of many. Returns the sum of all of its kind and culprit so
  // far; nullptr if the table is full. Valid until the next add().
  const BlockingCall* add(const BlockingCall& blocking_call);

  bool empty() const { return sums_.empty(); }
  size_t culprits() const { return sums_.size(); }
  // All calls, those that found no room in the table among them.
  uint64_t calls() const { return calls_; }
  Nanoseconds total() const { return total_; }
  // Most total time first; their state is kSum. Valid until the next add().
  std::vector<const BlockingCall*> by_total() const;

 private:
  std::map<std::string, BlockingCall> sums_;
  uint64_t calls_ = 0;
  Nanoseconds total_{};
};

// What is equal for blocking calls of one kind and culprit.
std::string blocking_call_key(const BlockingCall& blocking_call);

}  // namespace tailback
