// The CPU quota of a process's control groups, version 1 or 2: how long they were throttled.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/values/stall.h"

namespace tailback {

// Where the control groups are mounted, and a process's membership. Others than the system's in
// tests.
struct CgroupFiles {
  std::string root = "/sys/fs/cgroup";
  std::string proc = "/proc";
};

class CpuQuota {
 public:
  // Finds the groups that the process is in now. Cheap: reads one file of /proc.
  explicit CpuQuota(int pid, const CgroupFiles& files = {});

  // How long the process's group and those around it have been throttled so far, on all CPUs
  // together. Nothing if no group says so: there is no controller, or its files can't be read.
  std::optional<Nanoseconds> throttled() const;

 private:
  std::vector<std::string> stat_files_;  // that were there at first; one per group
};

}  // namespace tailback
