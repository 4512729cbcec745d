// The lines of advice, by runtime and cause.
#pragma once

#include <string_view>

#include "runtime/explain/runtime_of.h"

namespace tailback {

// What holds for the cause in this runtime; where the runtime has no word of its own, what holds
// everywhere. Never empty.
std::string_view advice_line(Runtime runtime, Cause cause);

// The same for a wait for a signal.
std::string_view signal_advice_line(Runtime runtime);

}  // namespace tailback
