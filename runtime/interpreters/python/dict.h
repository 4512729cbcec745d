// Python's dictionaries, as far as reading small ones needs it.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "runtime/capture/remote_memory.h"
#include "runtime/interpreters/python/finder.h"

namespace tailback {

struct PythonDictEntry {
  RemoteAddress key;
  RemoteAddress value;
};

// The entries, in order of their insertion. Nothing if the object is none, is larger than `most`,
// or breaks the rules of dictionaries.
std::optional<std::vector<PythonDictEntry>> read_python_dict(RemoteMemory& memory,
                                                             const PythonInterpreter& python,
                                                             RemoteAddress address, size_t most);

// The value of a key, an ASCII string. Nothing if there is none.
std::optional<RemoteAddress> python_dict_value(RemoteMemory& memory,
                                               const PythonInterpreter& python,
                                               RemoteAddress address, std::string_view key,
                                               size_t most);

}  // namespace tailback
