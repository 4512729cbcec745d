// Why nothing was run.
#pragma once

#include <stdexcept>
#include <string>

namespace tailback {

// Exit statuses, as env(1) has them.
inline constexpr int kTailbackFailed = 125;  // bad option, or a program that can't be watched
inline constexpr int kNotExecutable = 126;   // found, but it can't be executed
inline constexpr int kNoSuchProgram = 127;

// what() is one line: what, where, and the cure. Control characters in it are escaped.
class LaunchError : public std::runtime_error {
 public:
  LaunchError(int exit_status, const std::string& line)
      : std::runtime_error(line), exit_status_(exit_status) {}

  int exit_status() const { return exit_status_; }

 private:
  int exit_status_;
};

}  // namespace tailback
