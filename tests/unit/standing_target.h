// A program that says what it does and then stands still, to be read from outside, until its
// standard input ends.
#pragma once

#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/capture/module_map.h"

namespace tailback {

class StandingTarget {
 public:
  // Starts it; `words` begin with the program's path. If that fails, it says nothing.
  explicit StandingTarget(std::vector<std::string> words, char* const* environment = environ);
  // Lets it end.
  ~StandingTarget();
  StandingTarget(const StandingTarget&) = delete;
  StandingTarget& operator=(const StandingTarget&) = delete;

  // To be called once: waits for what it says, up to `end` or the end of it all.
  std::string said_until(std::string_view end);
  // What is mapped now; nullptr if it does not run.
  std::shared_ptr<const ModuleMap> read_modules() const;
  void end();

  int pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int lifeline_ = -1;
  int output_ = -1;
};

}  // namespace tailback
