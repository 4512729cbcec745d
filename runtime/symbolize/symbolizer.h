// From addresses to functions, files and lines. Keeps what it has read of each module (by device
// and inode) and each address. Code that a process's just-in-time compiler makes has the names of
// its perf map, /tmp/perf-PID.map, if it writes one. One object serves one thread of the observer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/unwind/unwinder.h"
#include "runtime/values/frame.h"

namespace tailback {

class Symbolizer {
 public:
  Symbolizer();
  ~Symbolizer();
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // The frames of a stack, innermost first, inlined functions expanded. `pid` helps to open files
  // as the target sees them (/proc/PID/root).
  std::vector<Frame> symbolize(int pid, const ModuleMap& modules, const RawStack& stack);

  // The frames at one address: its function, preceded by those inlined there.
  std::vector<Frame> symbolize(int pid, const ModuleMap& modules, RawFrame frame);

  // The names of code that the process's own compiler made are in a file that is too long to be
  // read to its end.
  bool has_cut_perf_map(int pid) const;

  // The variable that covers an address in a module's data ("cache_mutex"), with "+offset" if the
  // address lies inside it. Nothing if no symbol does.
  std::optional<std::string> variable_at(int pid, const ModuleMap& modules, RemoteAddress address);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailback
