// The V8 of a session's processes, and reading their threads' JavaScript frames. Keeps what it has
// learnt of each process. A thread of workers has an engine's isolate of its own; its frames lead
// to all that is needed. For one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/capture/snapshot.h"
#include "runtime/interpreters/v8/finder.h"
#include "runtime/interpreters/v8/stack.h"

namespace tailback {

// A read that has no lines yet.
struct V8Read {
  std::shared_ptr<const V8Engine> engine;
  GatheredV8Stack gathered;
};

class V8Processes {
 public:
  // Looks for the process's V8, if its modules are others than at the last time.
  void prepare(int pid, const std::shared_ptr<const ModuleMap>& modules);

  // Reads the frames of a thread that stands still, after prepare(). Nothing if the process has no
  // V8. If it is one that can't be read, there are no frames.
  std::optional<V8Read> gather(const Snapshot& snapshot);

  // Adds the lines. The sources of scripts are read for them, once each: the thread may go on
  // meanwhile.
  V8Stack decode(int pid, const V8Read& read);

  void forget(int pid) { processes_.erase(pid); }

 private:
  // Ids are unique within one isolate only.
  using ScriptKey = std::tuple<std::string, int32_t, uint32_t>;  // name, id, length
  using LineEnds = std::vector<uint32_t>;
  struct Process {
    std::shared_ptr<const ModuleMap> modules;
    std::shared_ptr<const V8Engine> engine;  // nullptr: there is none
    std::map<ScriptKey, LineEnds> scripts;
    size_t lines = 0;  // of all of them
  };
  static constexpr size_t kMostLines = 4'000'000;
  static constexpr size_t kMostScripts = 4096;

  // nullptr if the source can't be read.
  const LineEnds* line_ends(Process& process, RemoteMemory& memory,
                            const GatheredV8Stack::Script& script);

  V8Finder finder_;
  std::map<int, Process> processes_;
};

}  // namespace tailback
