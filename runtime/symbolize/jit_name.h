// What a just-in-time compiler says in a perf map of a piece of its code, as a frame.
#pragma once

#include <string_view>

#include "runtime/values/frame.h"

namespace tailback {

// V8's "JS:~name file:line:col" (also LazyCompile, Function, Script, Eval; the sign says which of
// its compilers made the code) gives function, file, line and the language "javascript"; the line
// is where the function begins. `in_jvm`: the process runs Java; "double Busy.work(int)" gives
// Busy.work(int) and "java". Of others the name is the function.
Frame jit_frame(std::string_view name, bool in_jvm);

}  // namespace tailback
