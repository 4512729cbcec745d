#include "runtime/interpreters/merged_stack.h"

#include "runtime/interpreters/merge_by_calls.h"
#include "runtime/interpreters/merge_by_frames.h"

namespace tailback {

std::string merge_frames(const InterpreterStack& interpreted, const RawStack& raw, bool paused,
                         std::vector<Frame>& stack, bool& complete) {
  if (interpreted.language == nullptr) return {};
  const std::string name(interpreted.language->name);
  if (!interpreted.unreadable.empty()) {
    return interpreted.unreadable + ": its " + name + " frames can't be read (those of " +
           interpreted.language->supported() + " can), so they are the interpreter's own";
  }
  if (!interpreted.failure.empty()) return failed_check(interpreted, interpreted.failure);
  return interpreted.runner != nullptr ? merge_by_calls(interpreted, paused, stack, complete)
                                       : merge_by_frames(interpreted, raw, stack);
}

}  // namespace tailback
