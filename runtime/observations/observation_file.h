// A recording of what detectors read: JSON Lines, compressed if the file's name ends in .gz. Its
// first line has the version. docs/adding.md says how recordings are made and used.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/observations/segment_json.h"

namespace tailback {

inline constexpr int kObservationsVersion = 1;

struct ObservationError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Safe from any thread.
class ObservationWriter {
 public:
  // Throws ObservationError if the file can't be made.
  explicit ObservationWriter(const std::string& path);
  ~ObservationWriter();
  ObservationWriter(const ObservationWriter&) = delete;
  ObservationWriter& operator=(const ObservationWriter&) = delete;

  void write(const Json& line);
  // The number of a large value that recurs, such as a module map. It is written once.
  uint64_t number_of(const Json& value);
  // The same for what is asked without regard to time, such as a frame's name: the last answer to a
  // question holds.
  void write_name(const std::string& question, const Json& answer);
  uint64_t next_snapshot();

 private:
  std::mutex mutex_;
  void* file_ = nullptr;  // zlib's
  std::map<std::string, uint64_t> numbers_;
  std::map<std::string, std::string> names_;
  uint64_t snapshots_ = 0;
};

// An answer to a question of one poll: the `ask`-th time that it was asked in it, from 0. It holds
// until the next.
struct RecordedAnswer {
  uint64_t poll = 0;
  uint64_t ask = 0;
  uint64_t tick = 0;  // at which it was given; 0: not known
  Json answer;
};

// What one thread of the observer read.
struct RecordedLane {
  struct Poll {
    uint64_t tick = 0;
    Json clock;    // null: as before
    Json segment;  // changes
  };
  std::vector<Poll> polls;
  std::map<std::string, std::vector<RecordedAnswer>> answers;  // by question
};

struct Observations {
  Json header;
  std::map<std::string, RecordedLane> lanes;  // by name
  std::map<uint64_t, Json> values;            // by number
  std::map<std::string, Json> names;          // by question
  Json end;                                   // null: the recording was cut
};

// Throws ObservationError, which says what is wrong with the file.
Observations read_observations(const std::string& path);

}  // namespace tailback
