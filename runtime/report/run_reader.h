// Plays recorded runs back: the records of .jsonl files become the plain values that they were made
// of.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/report/record_parser.h"
#include "runtime/report/reporter.h"

namespace tailback {

// Takes the records of runs, one run after the other: a SessionStart, which may be missing, others,
// and a SessionEnd or cut_short().
class RunSink : public Reporter {
 public:
  // The run in progress has no end record.
  virtual void cut_short() = 0;
};

// Not thread-safe.
class RunReader {
 public:
  // Takes one line without a newline for each thing that a person should know of the recordings.
  using Say = std::function<void(const std::string& line)>;

  RunReader(RunSink& sink, Say say) : sink_(sink), say_(std::move(say)) {}

  // Reads a file (plain or gzip), standard input ("-"), or a directory's *.jsonl and *.jsonl.gz in
  // the order of their names. A line that can't be read is said and stepped over.
  void read(const std::string& path);

  // Runs that were read, whole or in part.
  uint64_t runs() const { return runs_; }
  // False once a file could not be read, was no recording, or had a damaged line. A recording that
  // a crash cut off is sound.
  bool sound() const { return sound_; }

 private:
  struct File;

  void read_directory(const std::string& path);
  void read_file(const std::string& path);
  void read_record(File& file, std::string_view line, bool last_and_cut);
  void accept(File& file, const Record& record);
  void accept_line(File& file);
  void damaged(File& file, const std::string& what);
  void finish_run(File& file);
  void unsound(const std::string& line);

  RunSink& sink_;
  Say say_;
  uint64_t runs_ = 0;
  bool sound_ = true;
};

}  // namespace tailback
