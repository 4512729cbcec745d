#include "runtime/sampling/stack_reader.h"

#include <utility>

#include "runtime/interpreters/merged_stack.h"

namespace tailback {

ReadStack StackReader::read(int pid, const Sample& sample) {
  const Snapshot& snapshot = *sample.snapshot;
  return read(pid, *snapshot.modules, source_->unwind(snapshot), sample.interpreted, sample.held);
}

ReadStack StackReader::read(int pid, const ModuleMap& modules, const RawStack& raw,
                            const std::vector<InterpreterStack>& interpreted, bool paused) {
  ReadStack stack;
  stack.complete = raw.complete;
  stack.frames = source_->symbolize(pid, modules, raw);
  for (const InterpreterStack& one : interpreted) {
    std::string note = merge_frames(one, raw, paused, stack.frames, stack.complete);
    if (!note.empty()) stack.note = std::move(note);
    stack.unreadable = stack.unreadable || !one.unreadable.empty();
  }
  strip_recorder(stack.frames);
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
