// Stacks for people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/report/text_style.h"
#include "runtime/values/frame.h"

namespace tailback {

// "load_config (src/config.cc:42)", "load_config (server+0x4f20)", "server+0x4f20",
// "0x7f31c2004010": the best that is known, in at most `limit` columns.
std::string frame_text(const Frame& frame, size_t limit);

// One line per frame, innermost first, each beginning with `indent` and ending in a newline; the
// culprit's is marked. Runs of two and more frames that say little to the program's author are one
// line, "… 6 frames of libpython3.11.so.1.0 …": frames of the C library, the dynamic linker and
// other runtimes (Python's library too), of libraries that are compiled
// into the program, frames without a name, and those further out than the
// culprit's next callers.
std::string stack_text(const std::vector<Frame>& stack, size_t culprit, const TextStyle& style,
                       std::string_view indent);

}  // namespace tailback
