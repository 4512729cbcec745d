// Iterations that are long through no call of the program: its CPU goes to another, its quota is
// used up, its memory is missing. Each may be refused by the machine.
#pragma once

#include <string>
#include <vector>

#include "tests/benchmarks/accuracy/target/stall_kinds.h"

namespace tailback::accuracy {

// See prepare_stalls().
std::vector<std::string> prepare_machine_stalls();
void clean_up_after_machine_stalls();
// Into the control group with a quota, and back. Moving takes the kernel some milliseconds.
void enter_small_quota();
void leave_small_quota();
// Those that prepare_machine_stalls() has found possible.
std::vector<StallKind> machine_stall_kinds();

}  // namespace tailback::accuracy
