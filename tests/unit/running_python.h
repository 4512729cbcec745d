// Pythons that are installed, each with targets/python_frames.py started in it.
#pragma once

#include <string>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/interpreters/python/stack.h"
#include "tests/unit/memory_image.h"
#include "tests/unit/standing_target.h"

namespace tailback {

// A command for this version ("3.11"): TAILBACK_TEST_PYTHON_3_11 in the environment, python3.11 in
// PATH or /usr/bin, or pyenv's. Empty if there is none.
std::string python_command(const std::string& version);

class RunningPython {
 public:
  // Starts the target and waits for what it says of its threads.
  explicit RunningPython(const std::string& command);

  int pid() const { return target_.pid(); }
  std::shared_ptr<const ModuleMap> modules() const { return modules_; }
  const std::vector<PythonImage::Thread>& threads() const { return threads_; }

 private:
  StandingTarget target_;
  std::vector<PythonImage::Thread> threads_;
  std::shared_ptr<const ModuleMap> modules_;
};

}  // namespace tailback
