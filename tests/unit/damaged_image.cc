#include "tests/unit/damaged_image.h"

#include <cstring>

namespace tailback {
namespace {

// Longest that a name or path can get: 1,000 characters of 4 bytes, and a mark that it was cut.
constexpr size_t kLongestText = 4096;

}  // namespace

std::vector<uint64_t> word_addresses(MemoryImage& memory) {
  std::vector<uint64_t> addresses;
  for (const auto& [begin, bytes] : memory.parts()) {
    for (uint64_t at = (begin + 7) & ~uint64_t{7}; at + 8 <= begin + bytes.size(); at += 8)
      addresses.push_back(at);
  }
  return addresses;
}

void set_word(MemoryImage& memory, uint64_t address, uint64_t value) {
  auto part = std::prev(memory.parts().upper_bound(address));
  std::memcpy(part->second.data() + (address - part->first), &value, sizeof value);
}

uint64_t word_at(MemoryImage& memory, uint64_t address) {
  return memory.value<uint64_t>(RemoteAddress(address)).value_or(0);
}

void damage(MemoryImage& memory, const std::vector<uint64_t>& places, Decisions decisions) {
  const auto place = [&] { return places[decisions.take(3) % places.size()]; };
  while (!decisions.done()) {
    const uint64_t at = place();
    const uint64_t before = word_at(memory, at);
    switch (decisions.take(1) % 6) {
      case 0:
        set_word(memory, at, word_at(memory, place()));
        break;
      case 1:
        set_word(memory, at, place());
        break;
      case 2:
        set_word(memory, at, before + decisions.take(1) - 128);
        break;
      case 3:
        set_word(memory, at, before ^ uint64_t{1} << decisions.take(1) % 64);
        break;
      case 4:
        set_word(memory, at, 0);
        break;
      default:
        set_word(memory, at, decisions.take(8));
    }
  }
}

std::string fault_of(const InterpreterStack& stack) {
  if (!stack.failure.empty() && (!stack.frames.empty() || stack.complete))
    return "frames beside a failure";
  if (stack.frames.size() > kMostPythonFrames) return "too many frames";
  for (const InterpretedFrame& frame : stack.frames) {
    if (frame.function.size() > kLongestText || frame.file.size() > kLongestText)
      return "a text that is too long";
    if (frame.line < 0) return "a line below 0";
    if (frame.function.find('\0') != std::string::npos) return "a name with a NUL";
  }
  return "";
}

}  // namespace tailback
