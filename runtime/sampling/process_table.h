// The processes of a session: which live, what they are called, what they have mapped. Not to be
// shared by threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/interpreters/python/processes.h"
#include "runtime/interpreters/v8/processes.h"
#include "runtime/kernel/kernel_view.h"
#include "runtime/segment/session.h"

namespace tailback {

struct ProcessFacts {
  int pid = 0;
  uint32_t generation = 0;  // of its record
  uint64_t attached = 0;    // tick
  uint64_t start_time = 0;  // clock ticks since boot: with the pid, its identity
  std::optional<ExecutableFile> executable;
  unsigned samples_as_other = 0;  // how often it was seen executing another file
  std::string name;
};

class ProcessTable {
 public:
  explicit ProcessTable(contract::Segment& segment) : segment_(segment) {}

  // Looks for processes that have attached and, if `check_lives`, for those that have ended or have
  // executed another program (their pid has attached anew). Returns the record indexes of the
  // latter; the caller retires their threads, then calls free().
  std::vector<uint32_t> update(bool check_lives);

  // Whether the process has ended. Asks the kernel.
  bool has_ended(uint32_t index) const;
  void free(uint32_t index);

  // nullptr if the index names no process that was seen by update().
  const ProcessFacts* find(uint32_t index) const;
  size_t count() const { return processes_.size(); }
  uint64_t seen() const { return seen_; }
  // Processes that executed a program which the recorder was not loaded into.
  uint64_t lost_programs() const { return lost_programs_; }

  // What the process has mapped, as read at most `max_age` ago. Empty if it can't be read.
  std::shared_ptr<const ModuleMap> modules(int pid, std::chrono::milliseconds max_age);

  // What was read of a process that has ended, or executes another program by now.
  void forget(int pid);

  // The Python that they run.
  PythonProcesses& python() { return python_; }
  // The V8 that they run.
  V8Processes& v8() { return v8_; }

 private:
  bool executes_other(ProcessFacts& facts) const;

  struct CachedModules {
    std::shared_ptr<const ModuleMap> map;
    std::chrono::steady_clock::time_point read;
  };

  contract::Segment& segment_;
  std::map<uint32_t, ProcessFacts> processes_;
  std::map<int, CachedModules> modules_;
  PythonProcesses python_;
  V8Processes v8_;
  uint64_t seen_ = 0;
  uint64_t lost_programs_ = 0;
};

}  // namespace tailback
