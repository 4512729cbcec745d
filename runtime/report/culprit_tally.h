// Stalls added up by culprit.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/values/stall.h"

namespace tailback {

struct Culprit {
  std::string fingerprint;
  Cause cause = Cause::kUnknown;
  std::optional<Frame> frame;  // the frame to blame, where one is known
  std::vector<Frame> callers;  // those of the frame, innermost first; the first few
  std::string call;            // the function that the loop was blocked in; empty if none
  std::string object;          // that of the longest stall
  bool more_objects = false;   // other stalls waited on others
  uint64_t count = 0;
  uint64_t unfinished = 0;  // of these, the program ended inside
  Nanoseconds total{};
  Nanoseconds longest{};
};

class CulpritTally {
 public:
  // A target can make up culprits without end; those that come once the table is full are added up
  // in others().
  static constexpr size_t kCulprits = 4096;

  void add(const Stall& stall);

  uint64_t stalls() const { return stalls_; }
  Nanoseconds stalled() const { return stalled_; }
  // The culprit of a stall; nullptr if it was not added or is one of the others.
  const Culprit* find(const Stall& stall) const;
  // Most total time first. Valid until the next add().
  std::vector<const Culprit*> by_total() const;
  // Only count, total and longest mean something.
  const Culprit& others() const { return others_; }

 private:
  std::map<std::string, Culprit> culprits_;
  Culprit others_;
  uint64_t stalls_ = 0;
  Nanoseconds stalled_{};
};

// What is equal for equal culprits: the fingerprint, or, in a stall without, cause and frame.
std::string culprit_key(const Stall& stall);

// The frame to blame; nullptr if none is known.
const Frame* culprit_frame(const Stall& stall);

}  // namespace tailback
