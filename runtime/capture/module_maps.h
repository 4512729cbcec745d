// What the processes have mapped, and the one policy of how old that knowledge may be. Not
// thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <memory>

#include "runtime/capture/module_map.h"

namespace tailback {

// Modules seldom change: a map is read again after a second, or after 50 ms where the process
// generates code, as its compiler maps more while it runs. An address in no mapping says that the
// map has changed: then it is read again, at most every 10 ms. A process that has ended keeps its
// last map until it is forgotten.
class ModuleMaps {
 public:
  using Map = std::shared_ptr<const ModuleMap>;

  // Empty if it could never be read.
  Map of(int pid);
  // The same, read again if the address lies in no mapping. 0 counts as known.
  Map with(int pid, RemoteAddress address);
  // For addresses of code that runs right now: read again at once if this one lies in no mapping.
  Map with_code(int pid, RemoteAddress address);

  // The process has ended, or executes another program by now.
  void forget(int pid) { known_.erase(pid); }

 private:
  struct Known {
    Map map;
    std::chrono::steady_clock::time_point read;
  };

  Map not_older_than(int pid, std::chrono::milliseconds age);

  std::map<int, Known> known_;
};

}  // namespace tailback
