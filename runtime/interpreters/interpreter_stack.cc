#include "runtime/interpreters/interpreter_stack.h"

namespace tailback {

Frame frame_of(const InterpreterStack& stack, const InterpretedFrame& interpreted) {
  Frame frame;
  frame.function = interpreted.function;
  frame.file = interpreted.file;
  frame.line = interpreted.line;
  frame.language = stack.language->word;
  return frame;
}

std::vector<Frame> frames_of(const InterpreterStack& stack) {
  std::vector<Frame> frames;
  for (const InterpretedFrame& frame : stack.frames) frames.push_back(frame_of(stack, frame));
  return frames;
}

std::string failed_check(const InterpreterStack& stack, std::string_view failure) {
  return "the " + std::string(stack.language->name) +
         " frames of a sample were dropped, for a check failed: " + std::string(failure);
}

}  // namespace tailback
