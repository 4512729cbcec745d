// Where unwound and symbolized stacks come from: the processes that run now, or a recording of
// what was read of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/capture/remote_address.h"
#include "runtime/capture/snapshot.h"
#include "runtime/unwind/unwinder.h"
#include "runtime/values/frame.h"

namespace tailback {

class StackSource {
 public:
  virtual ~StackSource() = default;

  virtual RawStack unwind(const Snapshot& snapshot) = 0;
  // The frames of a stack, innermost first, inlined functions expanded.
  virtual std::vector<Frame> symbolize(int pid, const ModuleMap& modules,
                                       const RawStack& stack) = 0;
  // The frames at one address: its function, preceded by those that are inlined there.
  virtual std::vector<Frame> symbolize(int pid, const ModuleMap& modules,
                                       const RawFrame& frame) = 0;
  // The variable that covers an address in a module's data. Nothing if no symbol does.
  virtual std::optional<std::string> variable_at(int pid, const ModuleMap& modules,
                                                 RemoteAddress address) = 0;
  // The process has a perf map that is too long to be read to its end.
  virtual bool has_cut_perf_map(int pid) = 0;
};

// Has an unwinder and a symbolizer. Serves one thread.
std::unique_ptr<StackSource> make_stack_source();

}  // namespace tailback
