// What of a process decides how it can compute: its interpreter, and its CPUs.
#pragma once

#include <string_view>

#include "runtime/capture/module_map.h"

namespace tailback {

// The interpreter that runs its language in one thread at a time there, by the names of the files
// that the process has mapped: "python", "node". "none" if there is none: a Python without the GIL
// (3.13t) runs threads in parallel.
std::string_view interpreter_of(const ModuleMap& modules);

// CPUs that the process may run on; of this one if it is gone.
unsigned cpus_of(int pid);

}  // namespace tailback
