// Callbacks that wait for a child process.

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "demos/echo/callbacks.h"

namespace tailback::demo {
namespace {

pid_t fork_sleeper(Milliseconds length) {
  const timespec duration = to_timespec(length);
  const pid_t child = fork();
  if (child == 0) {
    nanosleep(&duration, nullptr);
    _exit(0);
  }
  return child;
}

pid_t spawn_sleeper(Milliseconds length) {
  std::array<char, 32> seconds{};
  snprintf(seconds.data(), seconds.size(), "%.3f", static_cast<double>(length.count()) / 1000);
  char program[] = "sleep";
  char* argv[] = {program, seconds.data(), nullptr};
  pid_t child = -1;
  posix_spawnp(&child, program, nullptr, nullptr, argv, environ);
  return child;
}

void block_in_waitpid(Milliseconds length) {
  const pid_t child = fork_sleeper(length);
  // EXPECT stall on="process waitpid" cause=process call=waitpid function=block_in_waitpid
  waitpid(child, nullptr, 0);
}

void block_in_waitid(Milliseconds length) {
  const pid_t child = spawn_sleeper(length);
  siginfo_t info{};
  // EXPECT stall on="process waitid" cause=process call=waitid function=block_in_waitid
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED);
}

void block_in_wait4(Milliseconds length) {
  const pid_t child = spawn_sleeper(length);
  // EXPECT stall on="process wait4" cause=process call=wait4 function=block_in_wait4
  wait4(child, nullptr, 0, nullptr);
}

constexpr Callback kCallbacks[] = {
    {"process", "waitpid", block_in_waitpid},
    {"process", "waitid", block_in_waitid},
    {"process", "wait4", block_in_wait4},
};

}  // namespace

std::span<const Callback> process_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
