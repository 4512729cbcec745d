// Recorded images with damage done to them, as a torn read or a hostile target would: what the
// reader of Python's frames must stand. Shared by a test, which makes up the damage, and a fuzzer.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "tests/unit/memory_image.h"

namespace tailback {

// Takes decisions off bytes; zeros once they are used up.
class Decisions {
 public:
  explicit Decisions(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool done() const { return bytes_.empty(); }
  uint64_t take(size_t count) {
    uint64_t value = 0;
    for (size_t i = 0; i < count && !bytes_.empty(); ++i) {
      value = value << 8 | bytes_.front();
      bytes_ = bytes_.subspan(1);
    }
    return value;
  }

 private:
  std::span<const uint8_t> bytes_;
};

// All words of the image by their addresses.
std::vector<uint64_t> word_addresses(MemoryImage& memory);
void set_word(MemoryImage& memory, uint64_t address, uint64_t value);
uint64_t word_at(MemoryImage& memory, uint64_t address);

// Changes words among `places`: to a word of the image, an address in it, a near value, bits
// flipped, or anything.
void damage(MemoryImage& memory, const std::vector<uint64_t>& places, Decisions decisions);

// What is wrong with a reading of a damaged image, in one line; empty: nothing that can be told.
// Frames beside a failure, more frames than are ever read, a text that is no UTF-8.
std::string fault_of(const InterpreterStack& stack);

}  // namespace tailback
