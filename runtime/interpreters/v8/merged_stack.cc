#include "runtime/interpreters/v8/merged_stack.h"

#include <algorithm>
#include <utility>

namespace tailback {
namespace {

// Of a frame that keeps a frame pointer: the caller's, and the return address.
constexpr uint64_t kSavedBytes = 16;

Frame frame_of(const V8Frame& from) {
  Frame frame;
  frame.function = from.function;
  frame.file = from.file;
  frame.line = from.line;
  frame.language = "javascript";
  return frame;
}

// The JavaScript frame that returns to this native one; nullptr if there is none.
const V8Frame* callee_of(const V8Stack& javascript, const RawFrame& caller) {
  const auto found =
      std::find_if(javascript.frames.begin(), javascript.frames.end(), [&](const V8Frame& frame) {
        return frame.frame_pointer + kSavedBytes == caller.stack_pointer &&
               frame.return_address == caller.address;
      });
  return found != javascript.frames.end() ? &*found : nullptr;
}

}  // namespace

std::string merge_javascript_frames(const V8Stack& javascript, const RawStack& raw,
                                    std::vector<Frame>& stack) {
  if (javascript.engine == nullptr) return {};
  if (!javascript.engine->unreadable.empty()) {
    return javascript.engine->unreadable +
           ": its JavaScript frames can't be read (those of Node 18, 20, 22 and 24 can), so they "
           "are the engine's own";
  }
  std::vector<Frame> merged;
  bool any = false;
  size_t next = 0;  // of `stack`
  for (size_t i = 0; i < raw.frames.size(); ++i) {
    // What was inlined into a native frame stands before it.
    size_t end = next;
    while (end < stack.size() && stack[end].inlined) ++end;
    if (end == stack.size()) return {};
    ++end;
    const V8Frame* const found =
        i + 1 < raw.frames.size() ? callee_of(javascript, raw.frames[i + 1]) : nullptr;
    if (found != nullptr && !found->failure.empty()) {
      return "the JavaScript frames of a sample were dropped, for a check failed: " +
             std::string(found->failure);
    }
    if (found != nullptr) {
      merged.push_back(frame_of(*found));
      any = true;
    } else {
      std::copy(stack.begin() + static_cast<ptrdiff_t>(next),
                stack.begin() + static_cast<ptrdiff_t>(end), std::back_inserter(merged));
    }
    next = end;
  }
  stack = std::move(merged);
  if (any || raw.complete) return {};
  for (const V8Frame& frame : javascript.frames) {
    if (!frame.linked || !frame.failure.empty()) continue;
    stack.push_back(frame_of(frame));
    any = true;
  }
  return any ? "unwinding ended early: that these JavaScript frames made the call is a guess" : "";
}

}  // namespace tailback
