// What is read of processes and kept for a while: what they have mapped, and the interpreters that
// they run. Not to be shared by threads.
#pragma once

#include "runtime/capture/module_maps.h"
#include "runtime/interpreters/list.h"

namespace tailback {

class ProcessTable {
 public:
  // What they have mapped.
  ModuleMaps& modules() { return modules_; }

  // What was read of a process that has ended, or executes another program by now.
  void forget(int pid);

  // Reads what interpreters run in them.
  Interpreters& interpreters() { return interpreters_; }

 private:
  ModuleMaps modules_;
  Interpreters interpreters_;
};

}  // namespace tailback
