// How long the instructions of V8's bytecode are. Their numbers differ between versions.
#pragma once

#include <cstddef>
#include <span>

#include "runtime/interpreters/v8/layout.h"

namespace tailback {

// Bytes of the instruction that the code begins with, a prefix for wide operands included. 0 if it
// is none that is known.
size_t bytecode_length(V8Version version, std::span<const std::byte> code);

}  // namespace tailback
