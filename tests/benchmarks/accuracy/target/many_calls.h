// Iterations of many calls none of which is long: 2 to 8 ms each.
#pragma once

#include <span>

#include "tests/benchmarks/accuracy/target/stall_kinds.h"

namespace tailback::accuracy {

std::span<const StallKind> many_calls_kinds();

}  // namespace tailback::accuracy
