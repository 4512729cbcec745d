#include "runtime/interpreters/paged_memory.h"

#include <algorithm>
#include <cstring>

namespace tailback {

bool PagedMemory::take(uint64_t pages) {
  if (pages > left_) return false;
  left_ -= pages;
  return true;
}

const PagedMemory::Page& PagedMemory::page(uint64_t number) {
  const auto [known, is_new] = pages_.try_emplace(number);
  if (!is_new || !take(1)) return known->second;
  Page page(kPage);
  if (memory_.read(RemoteAddress(number * kPage), page)) known->second = std::move(page);
  return known->second;
}

bool PagedMemory::copy(RemoteAddress address, std::span<std::byte> out) {
  while (!out.empty()) {
    const uint64_t offset = address.value % kPage;
    const Page& from = page(address.value / kPage);
    if (from.empty()) return false;
    const size_t size = std::min<uint64_t>(out.size(), kPage - offset);
    std::memcpy(out.data(), from.data() + offset, size);
    out = out.subspan(size);
    address = address + size;
  }
  return true;
}

void PagedMemory::read(std::span<Piece> pieces) {
  constexpr uint64_t kHighest = uint64_t{1} << 62;
  for (Piece& piece : pieces) {
    piece.done = false;
    if (piece.out.empty() || piece.address.value >= kHighest) continue;
    if (piece.out.size() <= kPage) {
      piece.done = copy(piece.address, piece.out);
    } else if (take(piece.out.size() / kPage + 1)) {
      piece.done = memory_.read(piece.address, piece.out);
    }
  }
}

}  // namespace tailback
