// A Node with targets/node_frames.js started in it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/capture/snapshot.h"
#include "runtime/interpreters/v8/stack.h"
#include "tests/unit/standing_target.h"

namespace tailback {

class RunningNode {
 public:
  // Starts the target, and waits for what it says of its stack and for that thread to block. `way`:
  // see the target. `flags` are Node's.
  RunningNode(const std::string& command, const std::string& way,
              const std::vector<std::string>& flags = {});

  int pid() const { return target_.pid(); }
  std::shared_ptr<const ModuleMap> modules() const { return modules_; }
  // As V8 itself said them: file, function, line.
  const std::vector<InterpretedFrame>& frames() const { return frames_; }
  // Of all its threads that are blocked.
  std::vector<Snapshot> snapshots() const;

 private:
  StandingTarget target_;
  std::vector<InterpretedFrame> frames_;
  std::shared_ptr<const ModuleMap> modules_;
};

}  // namespace tailback
