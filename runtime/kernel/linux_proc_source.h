// The kernel of this machine, asked through /proc.
#pragma once

#include "runtime/kernel/proc_source.h"

namespace tailback {

// Safe from any thread.
class LinuxProcSource final : public ProcSource {
 public:
  std::optional<ThreadStat> thread_stat(int pid, int tid) override;
  std::optional<ScheduleTimes> schedule_times(int pid, int tid) override;
  std::optional<uint64_t> voluntary_switches(int pid, int tid) override;
  std::optional<KernelCall> kernel_call(int pid, int tid) override;
  std::optional<std::string> comm(int pid, int tid) override;
  bool thread_lives(int pid, int tid) override;
  std::optional<int> process_of(int tid) override;

  bool process_lives(int pid) override;
  std::optional<uint64_t> start_time(int pid) override;
  std::optional<ExecutableFile> executable(int pid) override;
  std::vector<int> threads(int pid) override;
  std::optional<uint64_t> caught_signals(int pid) override;
  bool share_memory(int pid, int other_pid) override;
  std::unique_ptr<ThrottledTime> throttled_time(int pid) override;

  std::optional<std::string> descriptor_link(int pid, int fd) override;
  bool is_non_blocking(int pid, int fd) override;
  DescriptorFacts descriptor(int pid, int fd) override;

  std::optional<MachineClocks> clocks() override;
};

}  // namespace tailback
