// The code of a just-in-time compiler, by address: the lines of the file /tmp/perf-PID.map that
// many of them write for perf(1), "begin size name", both numbers hexadecimal.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tailback {

struct PerfMapLine {
  uint64_t begin = 0;
  uint64_t size = 0;
  std::string_view name;  // within the line
};

// Nothing if the line makes no sense. Some writers prefix the numbers with 0x.
std::optional<PerfMapLine> parse_perf_map_line(std::string_view line);

// Which line is about an address. Code that is overwritten is gone: of lines that overlap the last
// counts, and nothing is left of the others.
class PerfMap {
 public:
  static constexpr size_t kMostEntries = 512 * 1024;

  struct Entry {
    uint64_t begin = 0;
    uint64_t size = 0;
    uint64_t place = 0;
  };

  // `place`: where the line stands. Left out, and full() from then on, beyond kMostEntries.
  void add(uint64_t begin, uint64_t size, uint64_t place);
  std::optional<Entry> find(uint64_t address) const;

  size_t size() const { return entries_.size(); }
  bool full() const { return full_; }

 private:
  struct Code {
    uint64_t end;
    uint64_t place;
  };
  std::map<uint64_t, Code> entries_;  // by begin; none overlap
  bool full_ = false;
};

}  // namespace tailback
