// Reads what the kernel says of a thread: /proc/PID/task/TID. All functions give nothing for a
// thread that is gone or may not be read. Safe from any thread. Detectors ask a ProcSource.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/kernel/kernel_facts.h"

namespace tailback {

std::optional<ThreadStat> read_thread_stat(int pid, int tid);

std::optional<ScheduleTimes> read_schedule_times(int pid, int tid);

// How often a thread has given up its CPU of itself: each wait that it blocks in counts.
std::optional<uint64_t> read_voluntary_switches(int pid, int tid);

std::optional<KernelCall> read_kernel_call(int pid, int tid);

// Whether a signal sent to the thread would run a handler now: caught and not blocked.
bool would_handle_signal(int pid, int tid, int signal);

// The command line of a process, its arguments apart by spaces.
std::optional<std::string> read_command_line(int pid);

// The name of a thread (tid == pid: of the process), without its newline.
std::optional<std::string> read_comm(int pid, int tid);

// The process that started it, or that took it over from there.
std::optional<int> read_parent(int pid);

// The process that a thread belongs to.
std::optional<int> read_process_of(int tid);

// The threads of a process.
std::vector<int> read_threads(int pid);

// Signals that run a handler of the program's, as a set: bit N - 1 stands for signal N.
std::optional<uint64_t> read_caught_signals(int pid);

// Whether two processes run in one and the same memory (vfork, clone).
bool share_memory(int pid, int other_pid);

// Start time in clock ticks since boot: with the pid, a process's identity.
std::optional<uint64_t> read_start_time(int pid);

std::optional<ExecutableFile> read_executable(int pid);

// Whether the process is there and not a zombie.
bool process_lives(int pid);
bool thread_lives(int pid, int tid);

// Target of /proc/PID/fd/FD: "/path", "socket:[123]", "anon_inode:[eventpoll]".
std::optional<std::string> read_descriptor_link(int pid, int fd);
// The directory that relative paths of the process begin at, as seen from here.
std::optional<std::string> read_working_directory(int pid);
// Whether calls with the descriptor give up (EAGAIN) where others would wait; also of one that is
// closed.
bool is_non_blocking(int pid, int fd);
// The process that a pidfd stands for.
std::optional<int> read_pidfd(int pid, int fd);

// The machine's clocks; nothing if they could not be read at one moment.
std::optional<MachineClocks> read_machine_clocks();

}  // namespace tailback
