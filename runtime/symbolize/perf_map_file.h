// One file of perf map lines, read on as it grows. It is the target's: what it says is checked, and
// how much is read of it is bounded.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/symbolize/perf_map.h"

namespace tailback {

class PerfMapFile {
 public:
  static constexpr uint64_t kLargestFile = 128 * 1024 * 1024;  // what follows is not read
  static constexpr size_t kLongestLine = 4096;                 // of longer ones nothing is kept

  explicit PerfMapFile(int descriptor);  // open for reading; closes it
  ~PerfMapFile();
  PerfMapFile(const PerfMapFile&) = delete;
  PerfMapFile& operator=(const PerfMapFile&) = delete;

  // Reads the lines that were written since the last time; all, if the file was written anew.
  void read_on();
  // The name of the code at an address. The line is looked up in the file as it is now, so that one
  // that was written over since then gives nothing.
  std::optional<std::string> name_at(uint64_t address) const;

  bool is(const struct stat& file) const;
  // There is more in the file than is read of it.
  bool is_cut() const { return cut_ || map_.full(); }
  size_t size() const { return map_.size(); }

 private:
  bool continues() const;
  void start_over();
  void add_lines(std::string_view text);

  int descriptor_;
  PerfMap map_;
  uint64_t offset_ = 0;    // up to which lines were taken
  std::string tail_;       // the last bytes before that
  bool skipping_ = false;  // the rest of a line that is too long
  bool cut_ = false;
  unsigned starts_ = 0;
};

}  // namespace tailback
