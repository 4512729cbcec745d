// Waits of a library for one answer, in the thread that asked for it: no event loop.
#pragma once

#include "runtime/detectors/observation.h"
#include "runtime/sampling/stack_reader.h"

namespace tailback {

// Whether the iteration lies outside the library that waited for events. An extension module of
// Python that runs a loop calls back from within it, so that the module is on the stack of each
// callback. If it is on none of the samples, it has returned to the program's own code (gRPC's
// synchronous calls): nothing is dispatched between two such waits. A program that uses greenlets
// keeps the loop's frames on another stack, and Python's own module `select` returns to the loop.
bool is_after_wait_for_answer(const StallSeen& observation, StackReader& reader);

}  // namespace tailback
