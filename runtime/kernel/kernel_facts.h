// What the kernel says of a thread or a process, as plain values.
#pragma once

#include <array>
#include <cstdint>

#include "runtime/values/stall.h"

namespace tailback {

struct ThreadStat {
  char state = '?';  // R running or runnable, S sleeping, D in a disk wait, T stopped, t traced, …
  uint64_t major_faults = 0;
  // Time on CPU outside the kernel and within, in clock ticks: a rough figure, good for a share.
  uint64_t user_ticks = 0;
  uint64_t system_ticks = 0;
};

// Time on CPU and waiting for one, since the thread's start.
struct ScheduleTimes {
  Nanoseconds on_cpu{};
  Nanoseconds runnable{};
};

// The system call that a thread is blocked in, and where in the program.
struct KernelCall {
  long number = -1;  // -1: blocked outside of any system call, by a page fault
  std::array<uint64_t, 6> arguments{};
  uint64_t stack_pointer = 0;
  uint64_t instruction_pointer = 0;
};

// Device and inode of the file that a process executes: they change with execve(2), not when the
// file is removed or replaced.
struct ExecutableFile {
  uint64_t device = 0;
  uint64_t inode = 0;
  bool operator==(const ExecutableFile&) const = default;
};

// Two clocks of the machine, read at one moment.
struct MachineClocks {
  Nanoseconds with_suspension{};     // CLOCK_BOOTTIME
  Nanoseconds without_suspension{};  // CLOCK_MONOTONIC
};

}  // namespace tailback
