#include "runtime/kernel/linux_proc_source.h"

#include "runtime/kernel/cpu_quota.h"
#include "runtime/kernel/descriptor.h"
#include "runtime/kernel/kernel_view.h"

namespace tailback {

std::optional<ThreadStat> LinuxProcSource::thread_stat(int pid, int tid) {
  return read_thread_stat(pid, tid);
}

std::optional<ScheduleTimes> LinuxProcSource::schedule_times(int pid, int tid) {
  return read_schedule_times(pid, tid);
}

std::optional<uint64_t> LinuxProcSource::voluntary_switches(int pid, int tid) {
  return read_voluntary_switches(pid, tid);
}

std::optional<KernelCall> LinuxProcSource::kernel_call(int pid, int tid) {
  return read_kernel_call(pid, tid);
}

std::optional<std::string> LinuxProcSource::comm(int pid, int tid) {
  return read_comm(pid, tid);
}

bool LinuxProcSource::thread_lives(int pid, int tid) {
  return tailback::thread_lives(pid, tid);
}

std::optional<int> LinuxProcSource::process_of(int tid) {
  return read_process_of(tid);
}

bool LinuxProcSource::process_lives(int pid) {
  return tailback::process_lives(pid);
}

std::optional<uint64_t> LinuxProcSource::start_time(int pid) {
  return read_start_time(pid);
}

std::optional<ExecutableFile> LinuxProcSource::executable(int pid) {
  return read_executable(pid);
}

std::vector<int> LinuxProcSource::threads(int pid) {
  return read_threads(pid);
}

std::optional<uint64_t> LinuxProcSource::caught_signals(int pid) {
  return read_caught_signals(pid);
}

bool LinuxProcSource::share_memory(int pid, int other_pid) {
  return tailback::share_memory(pid, other_pid);
}

std::unique_ptr<ThrottledTime> LinuxProcSource::throttled_time(int pid) {
  return std::make_unique<CpuQuota>(pid);
}

std::optional<std::string> LinuxProcSource::descriptor_link(int pid, int fd) {
  return read_descriptor_link(pid, fd);
}

bool LinuxProcSource::is_non_blocking(int pid, int fd) {
  return tailback::is_non_blocking(pid, fd);
}

DescriptorFacts LinuxProcSource::descriptor(int pid, int fd) {
  return describe_descriptor(pid, fd);
}

std::optional<MachineClocks> LinuxProcSource::clocks() {
  return read_machine_clocks();
}

}  // namespace tailback
