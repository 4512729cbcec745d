// Where control can get to within a function, by its code alone: the instructions that follow each
// other, and direct jumps, also into the function's cold part. Calls return; what an exception or a
// longjmp would do is not asked. For one thread.
#pragma once

#include <cstdint>

#include "runtime/capture/module_image.h"
#include "runtime/control_flow/disassembler.h"

namespace tailback {

// kUnknown: there is a jump by a register (a switch's, an interpreter's), code that can't be read,
// or too much of it.
enum class Reach { kNo, kYes, kUnknown };

// A place in a module's code, in the file's own addresses.
struct CodePoint {
  uint64_t address = 0;
  bool after_call = true;  // a return address; else the instruction at it comes next
};

class Reachability {
 public:
  // Whether control that goes on at `from` can get to the call that returns to `return_address`.
  Reach of_call(ModuleImage& image, CodePoint from, uint64_t return_address);
  // The same of any call that may call what that one calls: a compiler can make two of one.
  Reach of_call_like(ModuleImage& image, CodePoint from, uint64_t return_address);
  // The same, and of any call by a register.
  Reach of_call_that_may_be_like(ModuleImage& image, CodePoint from, uint64_t return_address);
  // Whether control that goes on at `from` can come back there.
  Reach of_itself(ModuleImage& image, CodePoint from);

 private:
  template <typename IsGoal>
  Reach search(ModuleImage& image, CodePoint from, IsGoal is_goal);
  // The call that returns to this address.
  std::optional<Instruction> call_before(ModuleImage& image, uint64_t return_address);

  Disassembler disassembler_;
};

}  // namespace tailback
