// The recorder's logic in a test program: a private segment and one thread record stand in for
// thread_state.cc, and the test sets the clock.
#pragma once

#include <cstdint>

#include "instrument/contract/record_contract.h"

namespace tailback {

// Maps an empty segment and makes the recorder's parts use it, until the end of its life. The
// calling thread owns record `kRecord`; ticks come from set_ticks().
class PrivateSegment {
 public:
  static constexpr uint32_t kRecord = 7;
  static constexpr uint32_t kGeneration = 3;
  static constexpr int kPid = 4711;
  static constexpr int kTid = 4712;

  PrivateSegment();
  ~PrivateSegment();
  PrivateSegment(const PrivateSegment&) = delete;
  PrivateSegment& operator=(const PrivateSegment&) = delete;

  contract::Segment& operator*() const { return *segment_; }
  contract::Segment* operator->() const { return segment_; }
  contract::ThreadRecord& record() const { return segment_->threads[kRecord]; }

 private:
  contract::Segment* segment_;
};

void set_ticks(uint64_t now);
void advance_ticks(uint64_t by);

// Makes the recorder believe, from now on, that it runs in a forked child.
void pretend_fork();

// Runs `body` further from the base of the stack than its caller's other calls run.
template <typename Body>
__attribute__((noinline)) void deeper(Body body) {
  volatile char frame[4096];
  frame[0] = 1;
  body();
  frame[1] = frame[0];
}

}  // namespace tailback
