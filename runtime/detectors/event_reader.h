// Reads the segment's ring and hands its events to the detectors.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/detectors/detector.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/segment/segment_ring.h"

namespace tailback {

class EventReader {
 public:
  explicit EventReader(DetectorInput& input)
      : segment_(input.segment()), clock_(input.clock()), ring_(input.segment()) {}

  void add(Detector& detector) { detectors_.push_back(&detector); }

  // Hands on all events that have come.
  void read();

  // Events that made no sense.
  uint64_t corrupt() const { return corrupt_; }
  uint64_t stepped_over() const { return ring_.stepped_over(); }

 private:
  bool makes_sense(const contract::Event& event) const;

  contract::Segment& segment_;
  const Clock& clock_;
  SegmentRing ring_;
  std::vector<Detector*> detectors_;
  uint64_t corrupt_ = 0;
};

}  // namespace tailback
