// What the name of a file says of the Python in it.
#pragma once

#include <optional>
#include <string_view>

#include "runtime/interpreters/python/versions.h"

namespace tailback {

struct PythonModuleName {
  PythonVersion version;  // 0.0: the name does not say both numbers
  bool debug = false;
  bool free_threaded = false;  // runs threads in parallel, without the GIL
};

// Of an interpreter or the library that has it: "python3", "python3.13t", "libpython3.8.so.1.0",
// "pypy3.10". Nothing for any other file, like "python3-config".
std::optional<PythonModuleName> python_module_name(std::string_view path);

}  // namespace tailback
