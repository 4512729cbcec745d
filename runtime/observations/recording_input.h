// What one thread of the observer reads of a session that runs, written down as it is read.
#pragma once

#include <memory>
#include <string>

#include "runtime/observations/observation_file.h"
#include "runtime/observations/segment_copy.h"
#include "runtime/sampling/detector_input.h"

namespace tailback {

// The answers that one thread gets. An answer that is as the last one was is not written again.
class RecordingLane {
 public:
  RecordingLane(ObservationWriter& writer, std::string name)
      : writer_(writer), name_(std::move(name)) {}

  void begin_poll(Json line);
  // `tick`: when it was given, if that was not at once.
  void write(const std::string& question, const Json& answer, uint64_t tick = 0);
  ObservationWriter& writer() { return writer_; }

 private:
  struct Known {
    std::string answer;
    uint64_t poll = 0;
    uint64_t asked = 0;  // in that poll
  };
  ObservationWriter& writer_;
  std::string name_;
  std::map<std::string, Known> known_;
  uint64_t poll_ = 0;
};

std::unique_ptr<DetectorInput> make_recording_input(contract::Segment& live, SegmentReader reader,
                                                    ObservationWriter& writer, std::string name);

}  // namespace tailback
