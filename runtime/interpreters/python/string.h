// Python's strings, as UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "runtime/interpreters/python/layout.h"

namespace tailback {

// What the head of a string object says of its characters.
struct PythonStringForm {
  uint64_t length = 0;  // in characters
  uint64_t data = 0;    // offset of the first, from the object's begin
  unsigned width = 1;   // bytes of each: 1, 2 or 4
  bool ascii = false;
};

// Reads the head of a string object. Nothing if it breaks the rules of such objects (kind, length)
// or has its characters elsewhere.
std::optional<PythonStringForm> python_string_form(const PythonLayout& layout,
                                                   std::span<const std::byte> head);

// The text of characters of a form; `cut` says that there were more, and they are left out. What
// stands for a byte that was no text (file names) becomes that byte again. Nothing if there is a
// character that the form forbids.
std::optional<std::string> python_text(const PythonStringForm& form,
                                       std::span<const std::byte> characters, bool cut);

}  // namespace tailback
