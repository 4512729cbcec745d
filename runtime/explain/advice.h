// One line that an expert would say.
#pragma once

#include <string>

#include "runtime/explain/runtime_of.h"

namespace tailback {

// In the words of the stall's own runtime where it is known; the call and the functions in the
// stack make it more precise.
std::string advice(const Stall& stall, Runtime runtime);

}  // namespace tailback
