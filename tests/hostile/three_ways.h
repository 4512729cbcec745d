// A program run three ways: alone, under `tailback run`, and with the bare preload. To the program
// they must be one.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/harness/process.h"
#include "tests/integration/harness/recording.h"
#include "tests/integration/harness/test_directory.h"

namespace tailback::test {

enum class Way { kAlone, kLaunched, kPreloaded };
std::ostream& operator<<(std::ostream& stream, Way way);

struct Subject {
  std::string program;  // of tests/hostile/programs
  std::vector<std::string> arguments;
  Ending ending = exited(0);
  size_t stalls = 0;  // the least that the observer must have found
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> preloads;  // other libraries; ours goes after them, if bare
  bool ours_first = true;             // unless this says before them
  std::vector<std::string> wrapper;   // a command that is given the program as arguments
  bool keeps_losses = false;          // what the recording says of losses is no fault
  std::string threshold = "20ms";
  std::chrono::seconds patience{40};
};

// A program of tests/hostile/programs, and a library made from one of them.
std::string hostile_program(const std::string& name);
std::string hostile_library(const std::string& name);

// What the outside saw of one run.
struct Seen {
  std::string output;
  std::string errors;
  Recording recording;  // of a watched one
};

class ThreeWays : public ::testing::Test {
 protected:
  // Runs the program alone, checks that it is content, then both other ways, and fails the test for
  // each difference, and for recordings that are incomplete or break a law. Gives what was seen of
  // the watched runs.
  std::vector<Seen> compare(const Subject& subject);

  // One run, checked for its ending and its recording. Whatever it left in its directory is kept
  // until the test ends.
  Seen run(const Subject& subject, Way way);
  // Starts it; to be finished with seen().
  Process start(const Subject& subject, Way way);
  Seen seen(const Subject& subject, Way way, Process& process);

  // What is kept of a run: "out", "err", "jsonl"; and where it runs.
  std::filesystem::path file(Way way, const std::string& name) const;
  std::filesystem::path work_directory(Way way) const;

  void TearDown() override;

 private:
  std::string command_line(const ProcessOptions& options) const;
  ProcessOptions options(const Subject& subject, Way way) const;
  void check_recording(const Subject& subject, Way way, Seen& seen);

  TestDirectory directory_;
  std::vector<std::string> commands_;
};

}  // namespace tailback::test
