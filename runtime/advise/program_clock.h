// Where the time of the program as a whole went, and how many operations were under way at once.
#pragma once

#include <cstdint>
#include <map>

#include "runtime/values/assessment.h"

namespace tailback {

class ProgramClock {
 public:
  // What a look at all threads has found: how many were in what.
  struct Look {
    uint64_t computing = 0;  // run, or are ready to
    // The part of the time since the look before in which some did. Of very many threads some do
    // whenever they are looked at one after the other.
    double computing_share = 1;
    uint64_t operations = 0;  // under way, each in a thread
    uint64_t locked = 0;      // wait for a lock
  };
  // `time` after the look before.
  void look(Nanoseconds time, const Look& look);
  // An operation was seen that was not there at the look before.
  void count_operation() { ++operations_; }

  const ProgramTime& time() const { return time_; }
  uint64_t looks() const { return polls_; }
  InFlight in_flight() const;

 private:
  ProgramTime time_;
  uint64_t polls_ = 0;
  uint64_t operations_ = 0;
  std::map<uint64_t, Nanoseconds> in_flight_;  // by how many
};

}  // namespace tailback
