// What of a process decides how it can compute: its interpreter, and its CPUs.
#pragma once

#include <string_view>

#include "runtime/capture/module_map.h"
#include "runtime/values/assessment.h"

namespace tailback {

// Told by the names of the files that it has mapped. A Python without the global lock ("3.13t") is
// none.
Interpreter interpreter_of(const ModuleMap& modules);

// CPUs that the process may run on; of this one if it is gone.
unsigned cpus_of(int pid);

}  // namespace tailback
