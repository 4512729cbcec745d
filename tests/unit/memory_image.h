// Recorded pieces of a Python process's memory, in files of text: what a reader of its threads'
// frames has read, and what Python itself said of them.
//
//   python 3.11 RUNTIME CODE_TYPE FRAME_TYPE STRING_TYPE BYTES_TYPE
//   thread TID
//   frame LINE FILE NAME              file and name in hexadecimal digits
//   at ADDRESS DIGITS[.COUNT.DIGITS]  COUNT (decimal) zero bytes stand between the dots
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "runtime/capture/remote_memory.h"
#include "runtime/interpreters/python/finder.h"
#include "runtime/interpreters/python/stack.h"

namespace tailback {

class MemoryImage final : public RemoteMemory {
 public:
  using RemoteMemory::read;
  void read(std::span<Piece> pieces) override;

  // Adds bytes; those that are there already stay as they are.
  void add(RemoteAddress address, std::span<const std::byte> bytes);
  // The bytes, by address, for a test to change.
  std::map<uint64_t, std::vector<std::byte>>& parts() { return parts_; }
  size_t size() const;

 private:
  std::map<uint64_t, std::vector<std::byte>> parts_;  // they don't touch
};

// Reads through another memory and keeps what it gave.
class RecordingMemory final : public RemoteMemory {
 public:
  explicit RecordingMemory(RemoteMemory& memory) : memory_(memory) {}
  using RemoteMemory::read;
  void read(std::span<Piece> pieces) override;
  const MemoryImage& image() const { return image_; }

 private:
  RemoteMemory& memory_;
  MemoryImage image_;
};

struct PythonImage {
  struct Thread {
    int tid = 0;
    std::vector<InterpretedFrame> frames;  // as Python said them; ends_call is not known
  };
  PythonInterpreter python;  // without module, eval loop and layout
  std::vector<Thread> threads;
  MemoryImage memory;
};

// Throws std::runtime_error if the file is none or breaks the format.
PythonImage read_python_image(const std::filesystem::path& path);
void write_python_image(std::ostream& out, PythonImage& image);

// The frames of a thread, found by its id; the layout is found out from the memory.
InterpreterStack python_stack_of(RemoteMemory& memory, const PythonInterpreter& found, int tid);

}  // namespace tailback
