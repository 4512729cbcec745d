// Whose code is to blame: picking the frame that a person should look at first.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "runtime/values/frame.h"

namespace tailback {

// What a user says of whose code a file is: patterns as of fnmatch(3), where * also stands for
// slashes. They are matched with the source file of a frame and with its module.
struct CulpritRule {
  std::vector<std::string> own;      // the program's: beats all else
  std::vector<std::string> library;  // somebody else's
};

// Index of the innermost frame that is the program's own. Where an interpreter runs the program,
// that is a frame of its language which lies outside the language's standard library and installed
// packages; if all lie there, the innermost outside the standard library, else the innermost. Of
// Java likewise, without installed packages.
// Otherwise: not libc, not a language's runtime library, not a library that is compiled into the
// program, and with a name, unless that is of a shared library which called the program back; if
// there is none, the innermost outside libc. Else the stack's size.
size_t find_culprit(const std::vector<Frame>& stack, const CulpritRule& rule = {});

// Index of the outermost frame among the `inner` innermost that is the program's own: where a loop
// has dispatched a callback, that is where the callback begins. As find_culprit() judges frames,
// but a native frame of a shared library only where the program has none, and not of the library
// that dispatches (the frame after these). Nothing if no frame qualifies.
std::optional<size_t> find_entry(const std::vector<Frame>& stack, size_t inner,
                                 const CulpritRule& rule = {});

// Whether the frame is of libc, the loader or a language's runtime library.
bool is_system_library(const Frame& frame);

// Removes the recorder's own frames from the inner end of a stack.
void strip_recorder(std::vector<Frame>& stack);

}  // namespace tailback
