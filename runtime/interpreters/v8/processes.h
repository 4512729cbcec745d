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
#include "runtime/interpreters/interpreter.h"
#include "runtime/interpreters/v8/finder.h"
#include "runtime/interpreters/v8/stack.h"

namespace tailback {

class V8Processes final : public Interpreter {
 public:
  // The threads need no state.
  void prepare(int pid, int tid, const std::shared_ptr<const ModuleMap>& modules) override;
  // Needs the snapshot.
  std::unique_ptr<StackCopy> copy(int pid, int tid, const Snapshot* snapshot) override;
  void forget(int pid) override { processes_.erase(pid); }

  // Adds the lines. The sources of scripts are read for them, once each.
  std::vector<InterpretedFrame> frames_of(int pid, const V8Engine* engine,
                                          const GatheredV8Stack& gathered);

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
