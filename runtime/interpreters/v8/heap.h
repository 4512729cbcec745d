// V8's heap, as far as reading a stack needs it: tagged words, types of objects, strings. All that
// is read is hostile: what breaks a rule gives nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/capture/remote_memory.h"
#include "runtime/interpreters/v8/layout.h"

namespace tailback {

class V8Heap {
 public:
  V8Heap(RemoteMemory& memory, const V8Layout& layout) : memory_(memory), layout_(layout) {}

  // Whether a word points to an object, by its tag.
  static bool is_pointer(uint64_t word) { return (word & 3) == 1 && word > 4096; }
  static std::optional<int32_t> smi(uint64_t word) {
    if ((word & 0xffffffff) != 0) return std::nullopt;
    return static_cast<int32_t>(word >> 32);
  }
  static bool is_smi(uint64_t word) { return (word & 1) == 0; }

  // The type of an object, as its map says it.
  std::optional<uint16_t> type(uint64_t pointer);
  bool is(uint64_t pointer, uint16_t wanted) { return type(pointer) == wanted; }

  // A field of an object.
  template <typename T>
  std::optional<T> field(uint64_t pointer, uint64_t offset) {
    if (!is_pointer(pointer)) return std::nullopt;
    return memory_.value<T>(RemoteAddress(pointer - 1 + offset));
  }
  std::optional<uint64_t> word(uint64_t pointer, uint64_t offset) {
    return field<uint64_t>(pointer, offset);
  }
  std::optional<int32_t> smi_field(uint64_t pointer, uint64_t offset) {
    const auto value = word(pointer, offset);
    return value ? smi(*value) : std::nullopt;
  }

  bool is_string(uint64_t pointer);
  std::optional<uint32_t> string_length(uint64_t pointer);
  // The characters of a string in one piece, at most `most` of them from the first on; those of a
  // string made of several are put together. In units of UTF-16.
  std::optional<std::u16string> characters(uint64_t pointer, uint32_t most);
  // A short one as UTF-8, with a mark where it is cut off.
  std::optional<std::string> text(uint64_t pointer);

  // The bytes of an array of bytes.
  std::optional<std::vector<std::byte>> bytes(uint64_t pointer, uint32_t most);
  // The instructions of an array of bytecode.
  std::optional<std::vector<std::byte>> bytecodes(uint64_t pointer, uint32_t most);

 private:
  std::optional<std::vector<std::byte>> array(uint64_t pointer, uint64_t data, uint32_t most);
  bool append(uint64_t pointer, uint32_t from, uint32_t count, std::u16string& out, int depth);

  RemoteMemory& memory_;
  const V8Layout& layout_;
  unsigned parts_ = 0;  // of the string that is read
};

// As UTF-8. Halves of pairs without the other become U+FFFD.
std::string utf8_of(std::u16string_view text);

}  // namespace tailback
