#include "runtime/sampling/stack_reader.h"

#include "runtime/interpreters/python/merged_stack.h"
#include "runtime/interpreters/v8/merged_stack.h"

namespace tailback {

ReadStack StackReader::read(int pid, const Sample& sample) {
  const Snapshot& snapshot = *sample.snapshot;
  const RawStack raw = source_->unwind(snapshot);
  ReadStack stack;
  stack.complete = raw.complete;
  stack.frames = source_->symbolize(pid, *snapshot.modules, raw);
  if (sample.javascript) {
    stack.note = merge_javascript_frames(*sample.javascript, raw, stack.frames);
    stack.unreadable = !sample.javascript->engine->unreadable.empty();
  }
  strip_recorder(stack.frames);
  if (sample.python) {
    const PythonStack& python = *sample.python;
    stack.note = merge_python_frames(python, sample.held, stack.frames, stack.complete);
    stack.unreadable = python.interpreter && !python.interpreter->unreadable.empty();
  }
  stack.culprit = find_culprit(stack.frames, rule_);
  return stack;
}

std::vector<Frame> StackReader::read_native(int pid, const Sample& sample) {
  const Snapshot& snapshot = *sample.snapshot;
  std::vector<Frame> frames = source_->symbolize(pid, *snapshot.modules, source_->unwind(snapshot));
  strip_recorder(frames);
  return frames;
}

Frame StackReader::caller(int pid, const ModuleMap& modules, uint64_t call_site) {
  if (call_site == 0) return {};
  RawFrame frame;
  frame.address = RemoteAddress(call_site);
  auto frames = source_->symbolize(pid, modules, frame);
  if (frames.empty()) return {};
  const size_t culprit = culprit_of(frames);
  return std::move(frames[culprit < frames.size() ? culprit : 0]);
}

}  // namespace tailback
