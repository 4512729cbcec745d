// The CPU quota of a process's control groups, version 1 or 2: how long they were throttled.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/kernel/proc_source.h"
#include "runtime/values/stall.h"

namespace tailback {

// Where the control groups are mounted, and a process's membership. Others than the system's in
// tests.
struct CgroupFiles {
  std::string root = "/sys/fs/cgroup";
  std::string proc = "/proc";
};

class CpuQuota final : public ThrottledTime {
 public:
  // Finds the groups that the process is in now. Cheap: reads one file of /proc.
  explicit CpuQuota(int pid, const CgroupFiles& files = {});

  // How long the process's group and those around it have been throttled so far, on all CPUs
  // together. Nothing if no group says so: there is no controller, or its files can't be read. Of a
  // process that has been moved, the groups that it came to count from then on; if nothing was
  // known before, from zero.
  std::optional<Nanoseconds> throttled() override;

 private:
  void find_groups(const std::string& membership);
  std::optional<Nanoseconds> read_groups() const;

  CgroupFiles files_;
  std::string membership_file_;
  std::string membership_;               // its content
  std::vector<std::string> stat_files_;  // that were there at first; one per group
  bool was_asked_ = false;
  std::optional<Nanoseconds> last_;  // what was answered last
  Nanoseconds offset_{};             // what to add to the groups' own figures
};

}  // namespace tailback
