#include "runtime/observations/observation_file.h"

#include <zlib.h>

#include <cerrno>
#include <cstring>

namespace tailback {

namespace {

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

RecordedLane& lane_of(Observations& observations, const Json& line) {
  return observations.lanes[line.at("lane").get<std::string>()];
}

void take_line(Observations& observations, const Json& line) {
  if (line.contains("poll")) {
    RecordedLane::Poll poll;
    poll.tick = line.at("poll");
    poll.clock = line.value("clock", Json());
    poll.segment = line.value("segment", Json::object());
    lane_of(observations, line).polls.push_back(std::move(poll));
  } else if (line.contains("ask")) {
    RecordedLane& lane = lane_of(observations, line);
    RecordedAnswer answer;
    answer.poll = lane.polls.size();
    answer.ask = line.value("n", uint64_t{0});
    answer.tick = line.value("tick", uint64_t{0});
    answer.answer = line.at("is");
    lane.answers[line.at("ask").get<std::string>()].push_back(std::move(answer));
  } else if (line.contains("name")) {
    observations.names[line.at("name").get<std::string>()] = line.at("is");
  } else if (line.contains("value")) {
    observations.values[line.at("value").get<uint64_t>()] = line.at("is");
  } else if (line.contains("end")) {
    observations.end = line.at("end");
  }
}

}  // namespace

ObservationWriter::ObservationWriter(const std::string& path) {
  // Without compression, zlib writes the bytes as they are.
  file_ = gzopen(path.c_str(), path.ends_with(".gz") ? "we6" : "weT");
  if (!file_) throw ObservationError(path + ": " + std::strerror(errno));
}

ObservationWriter::~ObservationWriter() {
  gzclose(static_cast<gzFile>(file_));
}

void ObservationWriter::write(const Json& line) {
  const std::string text = text_of(line) + "\n";
  const std::lock_guard lock(mutex_);
  gzwrite(static_cast<gzFile>(file_), text.data(), static_cast<unsigned>(text.size()));
}

uint64_t ObservationWriter::number_of(const Json& value) {
  std::string text = text_of(value);
  uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto [known, is_new] = numbers_.emplace(std::move(text), numbers_.size() + 1);
    if (!is_new) return known->second;
    number = known->second;
  }
  write({{"value", number}, {"is", value}});
  return number;
}

void ObservationWriter::write_name(const std::string& question, const Json& answer) {
  {
    std::string text = text_of(answer);
    const std::lock_guard lock(mutex_);
    std::string& known = names_[question];
    if (known == text) return;
    known = std::move(text);
  }
  write({{"name", question}, {"is", answer}});
}

uint64_t ObservationWriter::next_snapshot() {
  const std::lock_guard lock(mutex_);
  return ++snapshots_;
}

Observations read_observations(const std::string& path) {
  const gzFile file = gzopen(path.c_str(), "re");
  if (!file) throw ObservationError(path + ": " + std::strerror(errno));
  std::string text;
  char buffer[1 << 16];
  for (int got = 0; (got = gzread(file, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(got));
  }
  gzclose(file);
  Observations observations;
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    ++number;
    try {
      const Json line = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(at),
                                    text.begin() + static_cast<std::ptrdiff_t>(end));
      if (number == 1) {
        observations.header = line;
        if (line.at("observations") != kObservationsVersion) {
          throw ObservationError(path + ": a recording of another version; record it again");
        }
      } else {
        take_line(observations, line);
      }
    } catch (const Json::exception& error) {
      throw ObservationError(path + ":" + std::to_string(number) + ": " + error.what());
    }
    at = end + 1;
  }
  if (number == 0) throw ObservationError(path + ": is empty");
  return observations;
}

}  // namespace tailback
