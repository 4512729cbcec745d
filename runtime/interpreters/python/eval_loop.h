// Where in a binary the interpreter's eval loop lies. Compilers keep its rare parts, or all but its
// head, in a fragment of its own, which has no symbol: of a stripped binary the call frame
// information tells its extent.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/capture/module_image.h"
#include "runtime/interpreters/interpreter_stack.h"

namespace tailback {

// First the extent of the function at `entry`; then, if it is another, the largest of the binary,
// which is likely the rest of it. Empty if the file has no call frame information that can be read.
std::vector<CodeRange> eval_loop_ranges(ModuleImage& image, uint64_t entry);

}  // namespace tailback
