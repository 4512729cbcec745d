// A copy of the segment that only one thread of the observer reads. It changes when the reader says
// so, and says what has changed: what is recorded is what was read.
#pragma once

#include <memory>

#include "runtime/observations/segment_json.h"

namespace tailback {

// A segment of zeros that takes memory only where it is written.
struct SegmentDeleter {
  void operator()(contract::Segment* segment) const;
};
using OwnSegment = std::unique_ptr<contract::Segment, SegmentDeleter>;
OwnSegment make_segment();

// Which tables of the segment are read.
enum class SegmentReader { kSession, kLockOrder, kContention };

class SegmentCopy {
 public:
  SegmentCopy(contract::Segment& live, SegmentReader reader);

  contract::Segment& segment() { return *copy_; }

  // Passes on to the live segment what the observer has written to the copy since the last call,
  // copies the live one, and returns what is new in it.
  Json refresh();
  // Does the first of these alone.
  void pass_on();

 private:
  contract::Segment& live_;
  SegmentReader reader_;
  bool is_first_ = true;
  OwnSegment copy_;
  OwnSegment known_;  // as the copy was after the last refresh
};

// Makes the changes that refresh() gave.
void apply_segment_changes(contract::Segment& segment, const Json& changes);

}  // namespace tailback
