#include "runtime/sampling/stack_reader.h"

#include "runtime/interpreters/python/merged_stack.h"
#include "runtime/interpreters/v8/merged_stack.h"

namespace tailback {

ReadStack StackReader::read(int pid, const Sample& sample) {
  const Snapshot& snapshot = *sample.snapshot;
  const RawStack raw = unwinder_->unwind(snapshot);
  ReadStack stack;
  stack.complete = raw.complete;
  stack.frames = symbolizer_.symbolize(pid, *snapshot.modules, raw);
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
  std::vector<Frame> frames =
      symbolizer_.symbolize(pid, *snapshot.modules, unwinder_->unwind(snapshot));
  strip_recorder(frames);
  return frames;
}

}  // namespace tailback
