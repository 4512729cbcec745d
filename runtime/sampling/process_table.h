// What is read of processes and kept for a while: what they have mapped, and the interpreters that
// they run. Not to be shared by threads.
#pragma once

#include <chrono>
#include <map>
#include <memory>

#include "runtime/capture/module_map.h"
#include "runtime/interpreters/list.h"

namespace tailback {

class ProcessTable {
 public:
  // What the process has mapped, as read at most `max_age` ago. Empty if it can't be read.
  std::shared_ptr<const ModuleMap> modules(int pid, std::chrono::milliseconds max_age);

  // What was read of a process that has ended, or executes another program by now.
  void forget(int pid);

  // Reads what interpreters run in them.
  Interpreters& interpreters() { return interpreters_; }

 private:
  struct CachedModules {
    std::shared_ptr<const ModuleMap> map;
    std::chrono::steady_clock::time_point read;
  };

  std::map<int, CachedModules> modules_;
  Interpreters interpreters_;
};

}  // namespace tailback
