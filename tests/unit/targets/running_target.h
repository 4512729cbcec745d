// Starts an unwind_target and reads what it says of its threads.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/capture/snapshot.h"

namespace tailback {

struct StandingThread {
  int tid = 0;
  int line = 0;  // at which stand_still() is called
  Registers registers;
  std::vector<RemoteAddress> frames;  // return addresses, stand_still()'s own first
};

class RunningTarget {
 public:
  explicit RunningTarget(const std::string& program) {
    int in[2];
    int out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::string name = program;
    char* arguments[] = {name.data(), nullptr};
    char* environment[] = {nullptr};
    if (::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environment) != 0)
      pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    lifeline_ = in[1];
    FILE* said = ::fdopen(out[0], "r");
    read_all(said);
    std::fclose(said);
    if (auto map = ModuleMap::read(pid_))
      modules_ = std::make_shared<const ModuleMap>(std::move(*map));
  }
  ~RunningTarget() { end(); }
  RunningTarget(const RunningTarget&) = delete;
  RunningTarget& operator=(const RunningTarget&) = delete;

  void end() {
    if (lifeline_ >= 0) ::close(lifeline_);
    lifeline_ = -1;
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  bool ready() const { return ready_ && modules_ != nullptr; }
  int pid() const { return pid_; }
  std::shared_ptr<const ModuleMap> modules() const { return modules_; }
  RemoteAddress variable() const { return variable_; }
  const std::map<std::string, StandingThread>& threads() const { return threads_; }

  Snapshot snapshot_of(const std::string& name) const {
    const StandingThread& thread = threads_.at(name);
    auto snapshot = take_snapshot(pid_, thread.tid, thread.registers, modules_);
    EXPECT_TRUE(snapshot) << name;
    return snapshot.value_or(Snapshot());
  }

 private:
  void read_all(FILE* said) {
    char line[256];
    StandingThread* thread = nullptr;
    while (!ready_ && std::fgets(line, sizeof line, said) != nullptr) {
      char name[64];
      int tid = 0;
      int at = 0;
      uint64_t value = 0;
      uint64_t r[8];
      if (std::sscanf(line, "thread %63s %d %d", name, &tid, &at) == 3) {
        thread = &threads_[name];
        thread->tid = tid;
        thread->line = at;
      } else if (thread != nullptr &&
                 std::sscanf(line,
                             "registers %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
                             " %" SCNx64 " %" SCNx64 " %" SCNx64,
                             &r[0], &r[1], &r[2], &r[3], &r[4], &r[5], &r[6], &r[7]) == 8) {
        thread->registers.context.instruction_pointer = r[0];
        thread->registers.context.stack_pointer = r[1];
        std::memcpy(thread->registers.context.saved, r + 2, 6 * sizeof(uint64_t));
      } else if (thread != nullptr && std::sscanf(line, "frame %" SCNx64, &value) == 1) {
        thread->frames.emplace_back(value);
      } else if (std::sscanf(line, "variable %" SCNx64, &value) == 1) {
        variable_ = RemoteAddress(value);
      } else if (std::strcmp(line, "ready\n") == 0) {
        ready_ = true;
      }
    }
  }

  pid_t pid_ = -1;
  int lifeline_ = -1;
  bool ready_ = false;
  RemoteAddress variable_;
  std::map<std::string, StandingThread> threads_;
  std::shared_ptr<const ModuleMap> modules_;
};

inline std::string target_path(const std::string& kind) {
  return std::string(TAILBACK_TARGETS) + "/unwind_target_" + kind;
}

}  // namespace tailback
