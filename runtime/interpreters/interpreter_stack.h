// What an interpreter runs in one thread: the frames of its language, and what tells where they
// stand among the thread's native frames. A plain value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/capture/remote_address.h"
#include "runtime/interpreters/languages.h"

namespace tailback {

struct InterpretedFrame {
  std::string function;
  std::string file;
  int line = 0;  // 0: unknown, or the instruction belongs to no line

  // Where a native function runs the frames: this is the outermost of those that one call runs.
  bool ends_call = false;

  // Where the frame is a native one itself: its frame pointer, and where it returns to.
  RemoteAddress frame_pointer;
  RemoteAddress return_address;
  // It hangs together with the frames around it, from a call out of the interpreter to one into it:
  // where unwinding can't tell, it is likely to be a frame of the stack.
  bool linked = false;
  // Not empty: what the frame says failed this check, and nothing but its place holds.
  std::string_view failure;

  bool operator==(const InterpretedFrame&) const = default;
};

struct CodeRange {
  uint64_t begin = 0;  // addresses as the module's file has them
  uint64_t end = 0;
  bool contains(uint64_t address) const { return address >= begin && address < end; }
  bool operator==(const CodeRange&) const = default;
};

// The native function whose calls run the frames.
struct FrameRunner {
  std::string module;             // path of the file
  std::string_view function;      // its name, where there are symbols
  std::vector<CodeRange> ranges;  // first its extent, then what is likely to be a part of it
};

struct InterpreterStack {
  const Language* language = nullptr;
  std::vector<InterpretedFrame> frames;  // innermost first
  bool complete = false;                 // false: there are more, further out
  // nullptr: each frame is a native one itself.
  std::shared_ptr<const FrameRunner> runner;
  std::string task;  // that the thread runs; empty if none, or it is not known
  // Not empty: the interpreter whose frames can't be read ("Python 3.7").
  std::string unreadable;
  // Not empty: the frames failed this check and are dropped.
  std::string_view failure;
};

// The frames alone, and one of them.
std::vector<Frame> frames_of(const InterpreterStack& stack);
Frame frame_of(const InterpreterStack& stack, const InterpretedFrame& interpreted);

// The sentence that says that its frames are dropped.
std::string failed_check(const InterpreterStack& stack, std::string_view failure);

}  // namespace tailback
