// Where a program ends: its event loop is over, and what it does now is no callback of it.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "runtime/values/frame.h"

namespace tailback {

struct ProgramEnd {
  size_t frame = 0;  // index of the frame that says so
  // Nothing comes after it but what the runtime does to end, by its loop too. Redis may give it up.
  bool is_final = true;
};

// What says that the stack belongs to a program which ends: C's exit handlers, an interpreter's or
// a runtime's teardown, a server's own shutdown. The innermost of these; nothing if there is none.
std::optional<ProgramEnd> find_program_end(const std::vector<Frame>& stack);

inline bool is_shutdown(const std::vector<Frame>& stack) {
  return find_program_end(stack).has_value();
}

}  // namespace tailback
