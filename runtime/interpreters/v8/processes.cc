#include "runtime/interpreters/v8/processes.h"

#include <utility>

#include "runtime/interpreters/paged_memory.h"
#include "runtime/interpreters/v8/lines.h"

namespace tailback {

void V8Processes::prepare(int pid, const std::shared_ptr<const ModuleMap>& modules) {
  Process& process = processes_[pid];
  if (process.modules == modules) return;
  // Code that is compiled changes the map all the time; which files are mapped tells.
  const bool same = process.modules != nullptr && modules != nullptr && process.engine != nullptr &&
                    !modules->mappings().empty() && !process.modules->mappings().empty() &&
                    modules->mappings().front() == process.modules->mappings().front();
  process.modules = modules;
  if (same) return;
  process = Process{};
  process.modules = modules;
  if (modules == nullptr) return;
  ProcessMemory memory(pid);
  if (auto found = finder_.find(pid, *modules, memory))
    process.engine = std::make_shared<const V8Engine>(std::move(*found));
}

std::optional<V8Read> V8Processes::gather(const Snapshot& snapshot) {
  const auto known = processes_.find(snapshot.pid);
  if (known == processes_.end() || known->second.engine == nullptr) return std::nullopt;
  V8Read read;
  read.engine = known->second.engine;
  if (!read.engine->unreadable.empty()) return read;
  // Of a stack of ten frames some 50 pages are read.
  constexpr size_t kMostPages = 1000;
  ProcessMemory process(snapshot.pid);
  PagedMemory memory(process, kMostPages);
  read.gathered = gather_v8_stack(memory, read.engine->layout, snapshot);
  return read;
}

const V8Processes::LineEnds* V8Processes::line_ends(Process& process, RemoteMemory& memory,
                                                    const GatheredV8Stack::Script& script) {
  const ScriptKey key(script.file, script.id, script.length);
  const auto known = process.scripts.find(key);
  if (known != process.scripts.end()) return &known->second;
  const auto source = read_v8_source(memory, process.engine->layout, script);
  if (!source) return nullptr;
  if (process.lines > kMostLines || process.scripts.size() >= kMostScripts) {
    process.scripts.clear();
    process.lines = 0;
  }
  LineEnds& ends = process.scripts[key] = line_ends_of(*source);
  process.lines += ends.size();
  return &ends;
}

V8Stack V8Processes::decode(int pid, const V8Read& read) {
  V8Stack stack;
  stack.engine = read.engine;
  ProcessMemory memory(pid);
  const auto known = processes_.find(pid);
  for (const GatheredV8Stack::Frame& gathered : read.gathered.frames) {
    V8Frame frame = gathered.frame;
    if (gathered.script && gathered.position && known != processes_.end() &&
        known->second.engine == read.engine) {
      const GatheredV8Stack::Script& script = read.gathered.scripts[*gathered.script];
      if (const LineEnds* ends = line_ends(known->second, memory, script))
        frame.line = line_of(*ends, *gathered.position) + script.first_line;
    }
    if (frame.line < 0) frame.line = 0;
    stack.frames.push_back(std::move(frame));
  }
  return stack;
}

}  // namespace tailback
