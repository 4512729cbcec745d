// Starts an unwind_target and reads what it says of its threads.
#pragma once

#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/capture/snapshot.h"
#include "tests/unit/standing_target.h"

namespace tailback {

struct StandingThread {
  int tid = 0;
  int line = 0;  // at which stand_still() is called
  Registers registers;
  std::vector<RemoteAddress> frames;  // return addresses, stand_still()'s own first
};

class RunningTarget {
 public:
  explicit RunningTarget(const std::string& program) : target_({program}, kNoEnvironment) {
    read_all(target_.said_until("ready\n"));
    modules_ = target_.read_modules();
  }

  void end() { target_.end(); }

  bool ready() const { return ready_ && modules_ != nullptr; }
  int pid() const { return target_.pid(); }
  std::shared_ptr<const ModuleMap> modules() const { return modules_; }
  RemoteAddress variable() const { return variable_; }
  const std::map<std::string, StandingThread>& threads() const { return threads_; }

  Snapshot snapshot_of(const std::string& name) const {
    const StandingThread& thread = threads_.at(name);
    auto snapshot = take_snapshot(pid(), thread.tid, thread.registers, modules_);
    EXPECT_TRUE(snapshot) << name;
    return snapshot.value_or(Snapshot());
  }

 private:
  static constexpr char* kNoEnvironment[] = {nullptr};

  void read_all(const std::string& said) {
    std::istringstream lines(said);
    std::string text;
    StandingThread* thread = nullptr;
    while (!ready_ && std::getline(lines, text)) {
      const char* const line = text.c_str();
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
      } else if (text == "ready") {
        ready_ = true;
      }
    }
  }

  StandingTarget target_;
  bool ready_ = false;
  RemoteAddress variable_;
  std::map<std::string, StandingThread> threads_;
  std::shared_ptr<const ModuleMap> modules_;
};

inline std::string target_path(const std::string& kind) {
  return std::string(TAILBACK_TARGETS) + "/unwind_target_" + kind;
}

}  // namespace tailback
