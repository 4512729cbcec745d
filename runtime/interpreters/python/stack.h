// One thread's Python frames. Reading has two halves: gathering copies what is needed from the
// target while the thread stands still, and decoding makes frames of the copy, in the reader's own
// time. Both are pure functions: of a memory, which may be a recorded image, and of the copy.
//
// What is read is checked: types of objects, lengths, ranges, loops, the formats of line tables and
// strings. A list of frames that fails one check is dropped as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/capture/remote_memory.h"
#include "runtime/interpreters/interpreter_stack.h"
#include "runtime/interpreters/python/finder.h"
#include "runtime/interpreters/python/string.h"
#include "runtime/interpreters/python/thread.h"

namespace tailback {

// What gathering copied.
struct GatheredPythonStack {
  struct Text {
    PythonStringForm form;
    std::vector<std::byte> characters;
    bool cut = false;
  };
  struct Code {
    RemoteAddress address;
    int first_line = 0;
    uint64_t size = 0;  // of its instructions, in bytes
    size_t file = 0;    // of `texts`
    size_t name = 0;
    std::vector<std::byte> lines;
    bool lines_left_out = false;  // there was too much of them
  };
  struct Frame {
    RemoteAddress address;
    size_t code = 0;  // of `codes`
    int64_t position = 0;
    bool ends_call = false;
  };

  std::vector<Frame> frames;
  std::vector<Code> codes;
  std::vector<Text> texts;
  bool complete = false;
  std::string_view failure;
};

inline constexpr size_t kMostPythonFrames = 1024;

GatheredPythonStack gather_python_stack(RemoteMemory& memory, const PythonInterpreter& python,
                                        const PythonThread& thread);

InterpreterStack decode_python_stack(const PythonInterpreter& python,
                                     const GatheredPythonStack& gathered);

}  // namespace tailback
