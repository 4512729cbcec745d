// The perf maps of a session's processes: whose file it is, and where. For one thread.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/symbolize/perf_map_file.h"

namespace tailback {

class PerfMaps {
 public:
  // Looks for what the process has written since the last time. Its file is the one at
  // /tmp/perf-PID.map as the process itself sees both, its root and its pid. Only a regular file
  // counts, no link, of the process's user or root, and none that is older than the process.
  void update(int pid);

  // The name of the code at an address, as of the last update.
  std::optional<std::string> name_at(int pid, uint64_t address) const;
  // The map is too long to be read to its end.
  bool is_cut(int pid) const;

 private:
  static constexpr size_t kMostProcesses = 16;

  struct Process {
    uint64_t start = 0;  // when it began, as the kernel has it: tells it from another of this pid
    std::unique_ptr<PerfMapFile> file;
    uint64_t used = 0;
  };

  std::map<int, Process> processes_;
  uint64_t clock_ = 0;
};

}  // namespace tailback
