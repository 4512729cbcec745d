// What a detector asks the kernel: an interface, so that a detector runs over a recording in a test
// as it runs beside a program. All questions give nothing for a thread or a process that is gone or
// may not be read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/kernel/descriptor_facts.h"
#include "runtime/kernel/kernel_facts.h"
#include "runtime/values/stall.h"

namespace tailback {

// How long a process was throttled by the CPU quota of its control groups: see CpuQuota.
class ThrottledTime {
 public:
  virtual ~ThrottledTime() = default;
  virtual std::optional<Nanoseconds> throttled() = 0;
};

class ProcSource {
 public:
  virtual ~ProcSource() = default;

  // Of a thread: see kernel_view.h.
  virtual std::optional<ThreadStat> thread_stat(int pid, int tid) = 0;
  virtual std::optional<ScheduleTimes> schedule_times(int pid, int tid) = 0;
  virtual std::optional<uint64_t> voluntary_switches(int pid, int tid) = 0;
  virtual std::optional<KernelCall> kernel_call(int pid, int tid) = 0;
  virtual std::optional<std::string> comm(int pid, int tid) = 0;
  virtual bool thread_lives(int pid, int tid) = 0;
  virtual std::optional<int> process_of(int tid) = 0;

  // Of a process.
  virtual bool process_lives(int pid) = 0;
  virtual std::optional<uint64_t> start_time(int pid) = 0;
  virtual std::optional<ExecutableFile> executable(int pid) = 0;
  virtual std::vector<int> threads(int pid) = 0;
  virtual std::optional<uint64_t> caught_signals(int pid) = 0;
  virtual bool share_memory(int pid, int other_pid) = 0;
  virtual std::unique_ptr<ThrottledTime> throttled_time(int pid) = 0;

  // Of a descriptor.
  virtual std::optional<std::string> descriptor_link(int pid, int fd) = 0;
  virtual bool is_non_blocking(int pid, int fd) = 0;
  virtual DescriptorFacts descriptor(int pid, int fd) = 0;

  // Of the machine.
  virtual std::optional<MachineClocks> clocks() = 0;
};

}  // namespace tailback
