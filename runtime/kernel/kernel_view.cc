#include "runtime/kernel/kernel_view.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>

namespace tailback {

namespace {

// The content of a small file of /proc, in one read.
std::optional<std::string> read_small(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char buffer[4096];
  const ssize_t size = read(fd, buffer, sizeof buffer);
  close(fd);
  if (size <= 0) return std::nullopt;
  return std::string(buffer, static_cast<size_t>(size));
}

std::optional<std::string> read_link(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  if (size < 0) return std::nullopt;
  return std::string(target, static_cast<size_t>(size));
}

std::optional<std::string> read_task(int pid, int tid, const char* name) {
  return read_small(fmt::format("/proc/{}/task/{}/{}", pid, tid, name));
}

// Fields of a stat file after the name in parentheses, which may hold anything. Field 3 (the
// state) has index 0.
std::vector<std::string_view> stat_fields(const std::string& text) {
  std::vector<std::string_view> fields;
  const size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return fields;
  std::string_view rest = std::string_view(text).substr(end_of_name + 1);
  while (!rest.empty()) {
    const size_t begin = rest.find_first_not_of(" \n");
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin);
    const size_t end = std::min(rest.find_first_of(" \n"), rest.size());
    fields.push_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  return fields;
}

uint64_t to_number(std::string_view text, int base = 10) {
  return std::strtoull(std::string(text).c_str(), nullptr, base);
}

}  // namespace

std::optional<ThreadStat> read_thread_stat(int pid, int tid) {
  const auto text = read_task(pid, tid, "stat");
  if (!text) return std::nullopt;
  const auto fields = stat_fields(*text);
  if (fields.size() < 13 || fields[0].empty()) return std::nullopt;
  constexpr size_t kMajorFaults = 9;
  constexpr size_t kUserTicks = 11;
  constexpr size_t kSystemTicks = 12;
  return ThreadStat{fields[0][0], to_number(fields[kMajorFaults]), to_number(fields[kUserTicks]),
                    to_number(fields[kSystemTicks])};
}

std::optional<ScheduleTimes> read_schedule_times(int pid, int tid) {
  const auto text = read_task(pid, tid, "schedstat");
  if (!text) return std::nullopt;
  int64_t on_cpu = 0;
  int64_t runnable = 0;
  if (std::sscanf(text->c_str(), "%" SCNd64 " %" SCNd64, &on_cpu, &runnable) != 2) {
    return std::nullopt;
  }
  return ScheduleTimes{Nanoseconds(on_cpu), Nanoseconds(runnable)};
}

std::optional<KernelCall> read_kernel_call(int pid, int tid) {
  const auto text = read_task(pid, tid, "syscall");
  if (!text) return std::nullopt;
  KernelCall call;
  auto& a = call.arguments;
  const int fields = std::sscanf(text->c_str(),
                                 "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
                                 " %" SCNx64 " %" SCNx64 " %" SCNx64,
                                 &call.number, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5],
                                 &call.stack_pointer, &call.instruction_pointer);
  if (fields == 9) return call;
  if (fields != 3 || call.number != -1) return std::nullopt;  // "running"
  return KernelCall{-1, {}, a[0], a[1]};
}

std::optional<uint64_t> read_voluntary_switches(int pid, int tid) {
  const auto text = read_task(pid, tid, "status");
  if (!text) return std::nullopt;
  constexpr std::string_view kField = "\nvoluntary_ctxt_switches:\t";
  const size_t at = text->find(kField);
  if (at == std::string::npos) return std::nullopt;
  return to_number(text->substr(at + kField.size(), 20));
}

bool would_handle_signal(int pid, int tid, int signal) {
  const auto text = read_task(pid, tid, "status");
  if (!text) return false;
  const auto has = [&](std::string_view field) {
    const size_t at = text->find(field);
    if (at == std::string::npos) return false;
    const uint64_t set = to_number(text->substr(at + field.size(), 20), 16);
    return (set >> (signal - 1) & 1) != 0;
  };
  return has("\nSigCgt:\t") && !has("\nSigBlk:\t");
}

std::optional<std::string> read_command_line(int pid) {
  auto text = read_small(fmt::format("/proc/{}/cmdline", pid));
  if (!text) return std::nullopt;
  while (!text->empty() && text->back() == '\0') text->pop_back();
  std::replace(text->begin(), text->end(), '\0', ' ');
  return text;
}

std::optional<std::string> read_comm(int pid, int tid) {
  auto text = read_task(pid, tid, "comm");
  if (text && !text->empty() && text->back() == '\n') text->pop_back();
  return text;
}

std::optional<int> read_parent(int pid) {
  const auto text = read_small(fmt::format("/proc/{}/stat", pid));
  if (!text) return std::nullopt;
  const auto fields = stat_fields(*text);
  if (fields.size() < 2) return std::nullopt;
  return static_cast<int>(to_number(fields[1]));
}

std::optional<int> read_process_of(int tid) {
  const auto text = read_small(fmt::format("/proc/{}/status", tid));
  constexpr std::string_view kField = "\nTgid:\t";
  const size_t at = text ? text->find(kField) : std::string::npos;
  if (at == std::string::npos) return std::nullopt;
  return static_cast<int>(to_number(text->substr(at + kField.size(), 20)));
}

std::vector<int> read_threads(int pid) {
  std::vector<int> threads;
  std::error_code error;
  const std::filesystem::path folder = fmt::format("/proc/{}/task", pid);
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    threads.push_back(static_cast<int>(to_number(it->path().filename().string())));
  }
  return threads;
}

std::optional<uint64_t> read_caught_signals(int pid) {
  const auto text = read_small(fmt::format("/proc/{}/status", pid));
  constexpr std::string_view kField = "\nSigCgt:\t";
  const size_t at = text ? text->find(kField) : std::string::npos;
  if (at == std::string::npos) return std::nullopt;
  return to_number(text->substr(at + kField.size(), 20), 16);
}

bool share_memory(int pid, int other_pid) {
  return pid == other_pid || syscall(SYS_kcmp, pid, other_pid, KCMP_VM, 0, 0) == 0;
}

std::optional<uint64_t> read_start_time(int pid) {
  const auto text = read_small(fmt::format("/proc/{}/stat", pid));
  if (!text) return std::nullopt;
  const auto fields = stat_fields(*text);
  if (fields.size() < 20) return std::nullopt;
  return to_number(fields[19]);
}

std::optional<ExecutableFile> read_executable(int pid) {
  struct stat file {};
  if (stat(fmt::format("/proc/{}/exe", pid).c_str(), &file) != 0) return std::nullopt;
  return ExecutableFile{file.st_dev, file.st_ino};
}

bool process_lives(int pid) {
  const auto text = read_small(fmt::format("/proc/{}/stat", pid));
  if (!text) return false;
  const auto fields = stat_fields(*text);
  if (fields.empty()) return false;
  if (fields[0] != "Z" && fields[0] != "X") return true;
  // A main thread that has ended before the others looks like a zombie.
  constexpr size_t kThreads = 17;
  return fields.size() > kThreads && to_number(fields[kThreads]) > 1;
}

bool thread_lives(int pid, int tid) {
  return syscall(SYS_tgkill, pid, tid, 0) == 0 || errno == EPERM;
}

std::optional<std::string> read_descriptor_link(int pid, int fd) {
  return read_link(fmt::format("/proc/{}/fd/{}", pid, fd));
}

std::optional<std::string> read_working_directory(int pid) {
  return read_link(fmt::format("/proc/{}/cwd", pid));
}

namespace {

// What stands behind a field's name, at the beginning of a line, in /proc/PID/fdinfo/FD.
std::optional<std::string> read_descriptor_field(int pid, int fd, std::string_view field) {
  const auto text = read_small(fmt::format("/proc/{}/fdinfo/{}", pid, fd));
  if (!text) return std::nullopt;
  const size_t at = ("\n" + *text).find(fmt::format("\n{}:\t", field));
  if (at == std::string::npos) return std::nullopt;
  return text->substr(at + field.size() + 2);
}

}  // namespace

bool is_non_blocking(int pid, int fd) {
  const auto flags = read_descriptor_field(pid, fd, "flags");
  return !flags || (std::strtoul(flags->c_str(), nullptr, 8) & O_NONBLOCK) != 0;
}

std::optional<int> read_pidfd(int pid, int fd) {
  const int process = std::atoi(read_descriptor_field(pid, fd, "Pid").value_or("0").c_str());
  return process > 0 ? std::optional(process) : std::nullopt;  // -1: it is gone
}

namespace {

Nanoseconds read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + Nanoseconds(now.tv_nsec);
}

}  // namespace

std::optional<MachineClocks> read_machine_clocks() {
  // The two are read one after the other; what they differ by is known this well.
  constexpr Nanoseconds kError = std::chrono::milliseconds(1);
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    const Nanoseconds before = read_clock(CLOCK_MONOTONIC);
    const Nanoseconds with_suspension = read_clock(CLOCK_BOOTTIME);
    const Nanoseconds after = read_clock(CLOCK_MONOTONIC);
    if (after - before < kError) return MachineClocks{with_suspension, after};
  }
  return std::nullopt;
}

}  // namespace tailback
