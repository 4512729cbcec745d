// Versions of CPython.
#pragma once

#include <compare>

namespace tailback {

struct PythonVersion {
  int major = 0;
  int minor = 0;
  constexpr auto operator<=>(const PythonVersion&) const = default;
};

inline constexpr PythonVersion kOldestPython{3, 8};
inline constexpr PythonVersion kNewestPython{3, 14};

}  // namespace tailback
