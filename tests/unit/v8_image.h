// Recorded pieces of a Node's memory, in files of text: the stack of a thread, what a reader of its
// JavaScript frames has read, and what V8 itself said of them.
//
//   v8 MAJOR MINOR
//   constant NAME VALUE               a v8dbg_* variable
//   code BEGIN END                    where there is code, hexadecimal as all addresses
//   stack BEGIN SIZE
//   frame LINE FILE NAME              innermost first; file and name in hexadecimal digits
//   at ADDRESS DIGITS
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "runtime/interpreters/v8/stack.h"
#include "tests/unit/memory_image.h"

namespace tailback {

struct V8Image {
  V8Version version;
  V8Constants constants;
  std::vector<Mapping> code;
  RemoteAddress stack_begin;
  size_t stack_bytes = 0;
  std::vector<InterpretedFrame> frames;  // those that hang together; file, function and line only
  MemoryImage memory;                    // the stack too
};

// Throws std::runtime_error if the file is none or breaks the format.
V8Image read_v8_image(const std::filesystem::path& path);
void write_v8_image(std::ostream& out, V8Image& image);

// What is read of the image, whose memory may be damaged.
GatheredV8Stack gather_v8_image(const V8Image& image, MemoryImage& memory);

// What is wrong with a reading of a damaged image, in one line; empty: nothing that can be told.
std::string fault_of(const GatheredV8Stack& gathered);

}  // namespace tailback
