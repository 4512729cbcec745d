// Callbacks that wait for a child process.

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

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

std::string sleep_command(Milliseconds length) {
  return "sleep " + std::to_string(static_cast<double>(length.count()) / 1000);
}

void block_in_system(Milliseconds length) {
  const std::string command = sleep_command(length);
  // EXPECT stall on="process system" cause=process call=system object="sleep "
  // function=block_in_system
  const int status = system(command.c_str());
  static_cast<void>(status);
}

void block_in_pclose(Milliseconds length) {
  FILE* const output = popen(sleep_command(length).c_str(), "r");
  // EXPECT stall on="process pclose" cause=process call=pclose function=block_in_pclose
  pclose(output);
}

// The parent stands still until its child executes a program or ends. This one is busy before that,
// as one is that closes a million descriptors.
void block_in_vfork(Milliseconds length) {
  const auto end = std::chrono::steady_clock::now() + length;
  // EXPECT stall on="process vfork" cause=process call=vfork function=block_in_vfork
  const pid_t child = vfork();
  if (child == 0) {
    while (std::chrono::steady_clock::now() < end) {
    }
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

constexpr Callback kCallbacks[] = {
    {"process", "system", block_in_system}, {"process", "pclose", block_in_pclose},
    {"process", "vfork", block_in_vfork},   {"process", "waitpid", block_in_waitpid},
    {"process", "waitid", block_in_waitid}, {"process", "wait4", block_in_wait4},
};

}  // namespace

std::span<const Callback> process_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
