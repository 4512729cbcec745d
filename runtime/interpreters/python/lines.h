// CPython's line tables: from an instruction to its line. Three formats, one function each; the
// table is a target's, so anything can be in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "runtime/interpreters/python/layout.h"

namespace tailback {

// The line of the instruction at `position` (bytes from the code's begin; negative before the first
// instruction). 0 if the instruction belongs to no line. Nothing if the table breaks its format's
// rules or does not reach so far.
std::optional<int> python_line(PythonLines format, std::span<const std::byte> table, int first_line,
                               int64_t position);

}  // namespace tailback
