// Writes the blocks of a finding. For code inside the target, wherever it runs: calls nothing.
#pragma once

#include <stdint.h>

#include "instrument/contract/finding_contract.h"

namespace tailback::contract {

class FindingWriter {
 public:
  // `data` has room for kFindingBytes.
  explicit FindingWriter(char* data) : data_(data) {}

  uint32_t size() const { return size_; }

  // Adds a block of zeros with its frames, which end at the first null. Frames beyond the room are
  // left out. nullptr: there is no room for the block.
  FindingBlock* add(BlockKind kind, void* const* frames = nullptr, uint32_t most_frames = 0) {
    const uint32_t room = kFindingBytes - size_;
    if (room < sizeof(FindingBlock)) return nullptr;
    auto* block = reinterpret_cast<FindingBlock*>(data_ + size_);
    *block = FindingBlock{};
    block->kind = static_cast<uint32_t>(kind);
    auto* places = reinterpret_cast<uint64_t*>(block + 1);
    const uint32_t fit = (room - sizeof(FindingBlock)) / sizeof(uint64_t);
    uint32_t count = 0;
    while (count < most_frames && count < fit && frames[count]) {
      places[count] = reinterpret_cast<uint64_t>(frames[count]);
      ++count;
      // Else a compiler would call memcpy.
      asm volatile("" ::: "memory");
    }
    block->frames = count;
    size_ += sizeof(FindingBlock) + count * sizeof(uint64_t);
    return block;
  }

  // A block of bytes, cut to fit.
  FindingBlock* add_bytes(BlockKind kind, const void* bytes, uint32_t count) {
    const uint32_t room = kFindingBytes - size_;
    FindingBlock* block = add(kind);
    if (!block) return nullptr;
    const uint32_t fit = (room - sizeof(FindingBlock)) / sizeof(uint64_t) * sizeof(uint64_t);
    if (count > fit) count = fit;
    auto* to = reinterpret_cast<char*>(block + 1);
    const uint32_t words = (count + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    for (uint32_t i = 0; i < words * sizeof(uint64_t); ++i) {
      to[i] = i < count ? static_cast<const char*>(bytes)[i] : '\0';
      asm volatile("" ::: "memory");
    }
    block->frames = words;
    block->size = count;
    size_ += words * sizeof(uint64_t);
    return block;
  }

  // Cut to fit.
  static void set_text(FindingBlock& block, const char* text) {
    uint32_t length = 0;
    while (text && length + 1 < kFindingTextBytes && text[length] != '\0') {
      block.text[length] = text[length];
      ++length;
      asm volatile("" ::: "memory");
    }
  }

 private:
  char* data_;
  uint32_t size_ = 0;
};

}  // namespace tailback::contract
