// How a command ended, and ending in the same way.
#pragma once

#include <optional>

namespace tailback {

struct Outcome {
  std::optional<int> exit_status;
  std::optional<int> signal;  // that killed it

  bool operator==(const Outcome&) const = default;
};

// Ends this process as the command ended: with its exit status, or by the same signal, but without
// a second core file. Runs no destructors; static ones and atexit() functions only on an exit.
[[noreturn]] void end_as(const Outcome& outcome);

}  // namespace tailback
