// A coroutine that was made and dropped without being awaited: its body has never run. A plain
// value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/values/stall.h"

namespace tailback {

// Who noticed it.
enum class NeverAwaitedBy {
  kAnnotation,  // the program itself, by tailback.h
  kPython,      // Python's interpreter, in a warning of its own
};

inline constexpr std::array<std::string_view, 2> kNeverAwaitedByWords = {"annotation", "python"};
constexpr std::string_view word(NeverAwaitedBy by) {
  return kNeverAwaitedByWords[static_cast<size_t>(by)];
}

struct NeverAwaited {
  WallTime time;  // when it was dropped
  int pid = 0;
  int tid = 0;
  std::string process;
  std::string thread;
  NeverAwaitedBy found_by = NeverAwaitedBy::kAnnotation;
  std::string coroutine;     // its function, as far as it is known
  std::vector<Frame> stack;  // of where it was made, innermost first; of Python the place alone
  size_t culprit = 0;        // what made it, as in Stall
  bool stack_complete = true;
  std::string advice;       // one line
  std::string fingerprint;  // equal for equal places, across runs

  bool operator==(const NeverAwaited&) const = default;
};

}  // namespace tailback
