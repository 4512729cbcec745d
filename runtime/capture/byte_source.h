// Bytes at offsets, read on demand and kept in blocks. Module files are read through this and never
// mapped: a file that is cut short while we read it gives a failed read, not a SIGBUS.
// For one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "runtime/capture/remote_address.h"

namespace tailback {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Copies `size` bytes at `offset`. False if they can't all be had.
  bool read(uint64_t offset, void* out, size_t size);

 protected:
  // Fills `out` from `offset` on; returns how many bytes there were.
  virtual size_t load(uint64_t offset, std::span<std::byte> out) = 0;

 private:
  static constexpr size_t kBlock = 16 * 1024;
  static constexpr size_t kMostBlocks = 4096;
  using Block = std::vector<std::byte>;

  const Block* block(uint64_t index);

  std::unordered_map<uint64_t, Block> blocks_;
  uint64_t last_index_ = UINT64_MAX;
  const Block* last_ = nullptr;
};

// The bytes of an open file. Takes the descriptor.
std::unique_ptr<ByteSource> make_file_source(int fd);
// The bytes of a process's memory from `base` upwards.
std::unique_ptr<ByteSource> make_memory_source(int pid, RemoteAddress base);
// Bytes at hand.
std::unique_ptr<ByteSource> make_buffer_source(std::vector<std::byte> bytes);

}  // namespace tailback
