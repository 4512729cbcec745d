// A program that runs under Tailback, by the launcher or by a bare preload, with its recording.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/harness/process.h"
#include "tests/integration/harness/recording.h"

namespace tailback::test {

struct WatchOptions {
  std::vector<std::string> command;
  std::string threshold = "100ms";
  std::string subcommand = "run";
  // LD_PRELOAD in place of `tailback run`.
  bool bare_preload = false;
  std::vector<std::pair<std::string, std::string>> environment;
  std::optional<int> cpu;
  int nice = 0;
};

class WatchedProgram {
 public:
  // Starts the command in `directory`, where its output and the recording are kept as
  // NAME.{out,err,log,jsonl}.
  WatchedProgram(const std::filesystem::path& directory, const std::string& name,
                 const WatchOptions& options);

  // tailback itself, or the program under a bare preload.
  Process& process() { return process_; }
  const std::string& command_line() const { return command_line_; }

  std::string output() const;  // the program's standard output so far
  std::string errors() const;  // standard error, of both
  std::string text_report() const;
  const std::filesystem::path& recording_path() const { return recording_; }
  // What has been recorded so far.
  Recording recording() const { return Recording::read(recording_); }

  // The number after "port " in the output. Throws std::runtime_error if none comes in time.
  uint16_t port(std::chrono::milliseconds patience = std::chrono::seconds(20)) const;
  // The first line of the output that begins with `word` and a blank, without them. Throws
  // likewise.
  std::string announced(const std::string& word,
                        std::chrono::milliseconds patience = std::chrono::seconds(20)) const;

 private:
  std::filesystem::path base_;
  std::filesystem::path recording_;
  std::string command_line_;
  Process process_;
};

// What a target says of itself in its output: "blocked PID MILLISECONDS" for each time that it held
// its loop up, by its own clock.
struct Block {
  int pid;
  double length_ms;
};
std::vector<Block> announced_blocks(const WatchedProgram& program);

}  // namespace tailback::test
