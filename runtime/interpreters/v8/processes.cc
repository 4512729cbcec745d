#include "runtime/interpreters/v8/processes.h"

#include <utility>

#include "runtime/interpreters/paged_memory.h"
#include "runtime/interpreters/v8/lines.h"

namespace tailback {

namespace v8 {

std::unique_ptr<Interpreter> make_interpreter() {
  return std::make_unique<V8Processes>();
}

}  // namespace v8

namespace {

class V8Copy final : public StackCopy {
 public:
  V8Copy(V8Processes& processes, int pid, std::shared_ptr<const V8Engine> engine)
      : processes_(processes), pid_(pid), engine_(std::move(engine)) {}

  InterpreterStack decode() override {
    InterpreterStack stack;
    stack.language = &v8::language();
    stack.unreadable = engine_->unreadable;
    stack.frames = processes_.frames_of(pid_, engine_.get(), gathered);
    return stack;
  }

  GatheredV8Stack gathered;

 private:
  V8Processes& processes_;
  int pid_;
  std::shared_ptr<const V8Engine> engine_;
};

}  // namespace

void V8Processes::prepare(int pid, int /*tid*/, const std::shared_ptr<const ModuleMap>& modules) {
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

std::unique_ptr<StackCopy> V8Processes::copy(int pid, int /*tid*/, const Snapshot* snapshot) {
  const auto known = processes_.find(pid);
  if (snapshot == nullptr || known == processes_.end() || known->second.engine == nullptr)
    return nullptr;
  const auto& engine = known->second.engine;
  auto copy = std::make_unique<V8Copy>(*this, pid, engine);
  if (!engine->unreadable.empty()) return copy;
  // Of a stack of ten frames some 50 pages are read.
  constexpr size_t kMostPages = 1000;
  ProcessMemory process(pid);
  PagedMemory memory(process, kMostPages);
  copy->gathered = gather_v8_stack(memory, engine->layout, *snapshot);
  return copy;
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

std::vector<InterpretedFrame> V8Processes::frames_of(int pid, const V8Engine* engine,
                                                     const GatheredV8Stack& gathered) {
  std::vector<InterpretedFrame> frames;
  ProcessMemory memory(pid);
  const auto known = processes_.find(pid);
  const bool same_engine = known != processes_.end() && known->second.engine.get() == engine;
  for (const GatheredV8Stack::Frame& one : gathered.frames) {
    InterpretedFrame frame = one.frame;
    if (one.script && one.position && same_engine) {
      const GatheredV8Stack::Script& script = gathered.scripts[*one.script];
      if (const LineEnds* ends = line_ends(known->second, memory, script))
        frame.line = line_of(*ends, *one.position) + script.first_line;
    }
    if (frame.line < 0) frame.line = 0;
    frames.push_back(std::move(frame));
  }
  return frames;
}

}  // namespace tailback
