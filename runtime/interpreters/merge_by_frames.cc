#include "runtime/interpreters/merge_by_frames.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tailback {
namespace {

// Of a frame that keeps a frame pointer: the caller's, and the return address.
constexpr uint64_t kSavedBytes = 16;

// The frame that returns to this native one; nullptr if there is none.
const InterpretedFrame* callee_of(const InterpreterStack& interpreted, const RawFrame& caller) {
  const auto found = std::find_if(
      interpreted.frames.begin(), interpreted.frames.end(), [&](const InterpretedFrame& frame) {
        return frame.frame_pointer + kSavedBytes == caller.stack_pointer &&
               frame.return_address == caller.address;
      });
  return found != interpreted.frames.end() ? &*found : nullptr;
}

}  // namespace

std::string merge_by_frames(const InterpreterStack& interpreted, const RawStack& raw,
                            std::vector<Frame>& stack) {
  std::vector<Frame> merged;
  bool any = false;
  size_t next = 0;  // of `stack`
  for (size_t i = 0; i < raw.frames.size(); ++i) {
    // What was inlined into a native frame stands before it.
    size_t end = next;
    while (end < stack.size() && stack[end].inlined) ++end;
    if (end == stack.size()) return {};
    ++end;
    const InterpretedFrame* const found =
        i + 1 < raw.frames.size() ? callee_of(interpreted, raw.frames[i + 1]) : nullptr;
    if (found != nullptr && !found->failure.empty()) {
      return failed_check(interpreted, found->failure);
    }
    if (found != nullptr) {
      merged.push_back(frame_of(interpreted, *found));
      any = true;
    } else {
      std::copy(stack.begin() + static_cast<ptrdiff_t>(next),
                stack.begin() + static_cast<ptrdiff_t>(end), std::back_inserter(merged));
    }
    next = end;
  }
  stack = std::move(merged);
  if (any || raw.complete) return {};
  for (const InterpretedFrame& frame : interpreted.frames) {
    if (!frame.linked || !frame.failure.empty()) continue;
    stack.push_back(frame_of(interpreted, frame));
    any = true;
  }
  if (!any) return {};
  return "unwinding ended early: that these " + std::string(interpreted.language->name) +
         " frames made the call is a guess";
}

}  // namespace tailback
