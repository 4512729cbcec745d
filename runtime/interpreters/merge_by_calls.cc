#include "runtime/interpreters/merge_by_calls.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

#include "runtime/interpreters/merged_stack.h"

namespace tailback {
namespace {

// Frames [begin, end) of the native stack that are one call of the function that runs frames, what
// was inlined into it included.
struct RunnerCall {
  size_t begin = 0;
  size_t end = 0;
};

bool is_named(const Frame& frame, std::string_view function) {
  const std::string_view name = frame.function;
  return !function.empty() && name.starts_with(function) &&
         (name.size() == function.size() || name[function.size()] == '.');
}

// `ranges`: how many of the function's ranges count.
std::vector<RunnerCall> calls_of(const FrameRunner& runner, const std::vector<Frame>& stack,
                                 size_t ranges) {
  const std::span<const CodeRange> code(runner.ranges.data(),
                                        std::min(ranges, runner.ranges.size()));
  std::vector<RunnerCall> calls;
  size_t begin = 0;  // of the frames that share one address
  for (size_t i = 0; i < stack.size(); ++i) {
    const Frame& frame = stack[i];
    if (frame.inlined) continue;
    const bool lies_in_code = frame.module == runner.module &&
                              std::any_of(code.begin(), code.end(), [&](const CodeRange& range) {
                                return range.contains(frame.offset);
                              });
    if (lies_in_code || is_named(frame, runner.function)) calls.push_back({begin, i + 1});
    begin = i + 1;
  }
  return calls;
}

// The frames that one call runs.
std::vector<std::span<const InterpretedFrame>> groups_of(
    const std::vector<InterpretedFrame>& frames) {
  std::vector<std::span<const InterpretedFrame>> groups;
  size_t begin = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (!frames[i].ends_call && i + 1 < frames.size()) continue;
    groups.emplace_back(frames.data() + begin, i + 1 - begin);
    begin = i + 1;
  }
  return groups;
}

size_t distance(size_t a, size_t b) {
  return a > b ? a - b : b - a;
}

}  // namespace

std::string merge_by_calls(const InterpreterStack& interpreted, bool paused,
                           std::vector<Frame>& stack, bool& complete) {
  const FrameRunner& runner = *interpreted.runner;
  const auto groups = groups_of(interpreted.frames);
  if (groups.empty()) return {};
  // The second range need not be a part of the function: it is if the numbers then fit better.
  std::vector<RunnerCall> calls = calls_of(runner, stack, 1);
  std::vector<RunnerCall> more = calls_of(runner, stack, 2);
  if (distance(more.size(), groups.size()) < distance(calls.size(), groups.size()))
    calls = std::move(more);
  // Further out there may be more calls than frames: those of another greenlet or interpreter. A
  // running thread may also have entered its innermost call and not yet its frame.
  const bool has_just_entered = paused && complete && calls.size() == groups.size() + 1;
  if (has_just_entered) calls.erase(calls.begin());

  std::vector<Frame> merged;
  const auto append = [&](std::span<const InterpretedFrame> frames) {
    for (const InterpretedFrame& frame : frames) merged.push_back(frame_of(interpreted, frame));
  };
  size_t next = 0;  // native frame
  size_t group = 0;
  for (; group < std::min(calls.size(), groups.size()); ++group) {
    std::move(stack.begin() + static_cast<ptrdiff_t>(next),
              stack.begin() + static_cast<ptrdiff_t>(calls[group].begin),
              std::back_inserter(merged));
    append(groups[group]);
    next = calls[group].end;
  }
  const bool unsure = complete && group < groups.size();
  if (calls.empty() && complete) {
    while (next < stack.size() && stack[next].module != runner.module)
      merged.push_back(std::move(stack[next++]));
  }
  // Where unwinding ended early, the rest of the frames is all that is known further out.
  if (!complete) {
    std::move(stack.begin() + static_cast<ptrdiff_t>(next), stack.end(),
              std::back_inserter(merged));
    next = stack.size();
  }
  for (; group < groups.size(); ++group) append(groups[group]);
  std::move(stack.begin() + static_cast<ptrdiff_t>(next), stack.end(), std::back_inserter(merged));
  if (merged.size() > kMostMergedFrames) {
    merged.resize(kMostMergedFrames);
    complete = false;
  }
  stack = std::move(merged);
  if (!unsure) return {};
  return "where some " + std::string(interpreted.language->name) +
         " frames stand among the native ones is a guess";
}

}  // namespace tailback
