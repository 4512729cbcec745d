// A memory read by pages, each once: for walks through many small objects that lie close together.
// What is kept is as of the first read, so an object of this serves one walk.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "runtime/capture/remote_memory.h"

namespace tailback {

class PagedMemory final : public RemoteMemory {
 public:
  // Reads no more than `most` pages; what needs more is not read. Reads larger than a page go to
  // the memory itself and count as pages too.
  PagedMemory(RemoteMemory& memory, size_t most) : memory_(memory), left_(most) {}
  using RemoteMemory::read;
  void read(std::span<Piece> pieces) override;

 private:
  static constexpr uint64_t kPage = 4096;
  using Page = std::vector<std::byte>;  // empty: can't be read

  const Page& page(uint64_t number);
  bool take(uint64_t pages);
  bool copy(RemoteAddress address, std::span<std::byte> out);

  RemoteMemory& memory_;
  size_t left_;
  std::unordered_map<uint64_t, Page> pages_;
};

}  // namespace tailback
