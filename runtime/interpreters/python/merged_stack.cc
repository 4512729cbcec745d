#include "runtime/interpreters/python/merged_stack.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

namespace tailback {
namespace {

// Frames [begin, end) of the native stack that are one call of the eval loop, what was inlined into
// it included.
struct EvalCall {
  size_t begin = 0;
  size_t end = 0;
};

bool is_named_eval_loop(const Frame& frame) {
  constexpr std::string_view kName = "_PyEval_EvalFrameDefault";
  const std::string_view name = frame.function;
  return name.starts_with(kName) && (name.size() == kName.size() || name[kName.size()] == '.');
}

// `ranges`: how many of the interpreter's ranges count.
std::vector<EvalCall> eval_calls(const std::vector<Frame>& stack, const PythonInterpreter& python,
                                 size_t ranges) {
  const std::span<const CodeRange> loop(python.eval_loop.data(),
                                        std::min(ranges, python.eval_loop.size()));
  std::vector<EvalCall> calls;
  size_t begin = 0;  // of the frames that share one address
  for (size_t i = 0; i < stack.size(); ++i) {
    const Frame& frame = stack[i];
    if (frame.inlined) continue;
    const bool lies_in_loop = frame.module == python.module &&
                              std::any_of(loop.begin(), loop.end(), [&](const CodeRange& range) {
                                return range.contains(frame.offset);
                              });
    if (lies_in_loop || is_named_eval_loop(frame)) calls.push_back({begin, i + 1});
    begin = i + 1;
  }
  return calls;
}

// The frames that one call of the eval loop runs.
std::vector<std::span<const PythonFrame>> groups_of(const std::vector<PythonFrame>& frames) {
  std::vector<std::span<const PythonFrame>> groups;
  size_t begin = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (!frames[i].ends_call && i + 1 < frames.size()) continue;
    groups.emplace_back(frames.data() + begin, i + 1 - begin);
    begin = i + 1;
  }
  return groups;
}

void append(std::vector<Frame>& out, std::span<const PythonFrame> frames) {
  for (const PythonFrame& python : frames) {
    Frame frame;
    frame.function = python.function;
    frame.file = python.file;
    frame.line = python.line;
    frame.language = "python";
    out.push_back(std::move(frame));
  }
}

size_t distance(size_t a, size_t b) {
  return a > b ? a - b : b - a;
}

}  // namespace

std::vector<Frame> frames_of(const PythonStack& python) {
  std::vector<Frame> frames;
  append(frames, python.frames);
  return frames;
}

std::string merge_python_frames(const PythonStack& python, bool held, std::vector<Frame>& stack,
                                bool& complete) {
  if (python.interpreter == nullptr) return {};
  if (!python.interpreter->unreadable.empty()) {
    return python.interpreter->unreadable +
           ": its frames can't be read (3.8 to 3.14 can, with the GIL and without debug checks), "
           "so "
           "they are the interpreter's own";
  }
  if (!python.failure.empty()) {
    return "the Python frames of a sample were dropped, for a check failed: " +
           std::string(python.failure);
  }
  const auto groups = groups_of(python.frames);
  if (groups.empty()) return {};
  // The largest function need not be a part of the eval loop: it is if the numbers then fit better.
  std::vector<EvalCall> calls = eval_calls(stack, *python.interpreter, 1);
  std::vector<EvalCall> more = eval_calls(stack, *python.interpreter, 2);
  if (distance(more.size(), groups.size()) < distance(calls.size(), groups.size()))
    calls = std::move(more);
  // Further out there may be more calls than frames: those of another greenlet or interpreter. A
  // running thread may also have entered its innermost call and not yet its frame.
  const bool has_just_entered = held && complete && calls.size() == groups.size() + 1;
  if (has_just_entered) calls.erase(calls.begin());

  std::vector<Frame> merged;
  size_t next = 0;  // native frame
  size_t group = 0;
  for (; group < std::min(calls.size(), groups.size()); ++group) {
    std::move(stack.begin() + static_cast<ptrdiff_t>(next),
              stack.begin() + static_cast<ptrdiff_t>(calls[group].begin),
              std::back_inserter(merged));
    append(merged, groups[group]);
    next = calls[group].end;
  }
  const bool unsure = complete && group < groups.size();
  if (calls.empty() && complete) {
    while (next < stack.size() && stack[next].module != python.interpreter->module)
      merged.push_back(std::move(stack[next++]));
  }
  // Where unwinding ended early, the rest of the frames is all that is known further out.
  if (!complete) {
    std::move(stack.begin() + static_cast<ptrdiff_t>(next), stack.end(),
              std::back_inserter(merged));
    next = stack.size();
  }
  for (; group < groups.size(); ++group) append(merged, groups[group]);
  std::move(stack.begin() + static_cast<ptrdiff_t>(next), stack.end(), std::back_inserter(merged));
  if (merged.size() > kMostMergedFrames) {
    merged.resize(kMostMergedFrames);
    complete = false;
  }
  stack = std::move(merged);
  if (!unsure) return {};
  return "where some Python frames stand among the native ones is a guess";
}

}  // namespace tailback
