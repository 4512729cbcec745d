// Runtimes whose loops wait on a condition, while a thread of their own waits for events and
// signals it. By behaviour such a loop can't be told from a worker that waits for jobs, so it is
// known by the runtime (explain/condition_loop.h has the functions).
#pragma once

#include "runtime/capture/module_map.h"

namespace tailback {

// Whether the process has mapped such a runtime: Tcl, R's package later.
bool may_have_condition_loop(const ModuleMap& modules);

}  // namespace tailback
