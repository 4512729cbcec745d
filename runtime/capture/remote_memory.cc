#include "runtime/capture/remote_memory.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "runtime/capture/memory.h"

namespace tailback {
namespace {

using Piece = RemoteMemory::Piece;

constexpr size_t kVectors = 128;
constexpr uint64_t kPage = 4096;

bool is_sane(const Piece& piece) {
  constexpr uint64_t kTop = uint64_t{1} << 63;  // what lies above is the kernel's
  return !piece.out.empty() && piece.address.value < kTop &&
         piece.out.size() < kTop - piece.address.value;
}

// Pieces that lie on the same pages, or on the next, are read as one: each costs the kernel a
// look-up. No page is read that no piece lies on, so one that can't be read is a piece's own.
struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
  size_t first = 0;  // of the sorted pieces
  size_t last = 0;   // one past
};

std::vector<Range> ranges_of(const std::vector<Piece*>& sorted) {
  std::vector<Range> ranges;
  for (size_t i = 0; i < sorted.size(); ++i) {
    const uint64_t begin = sorted[i]->address.value;
    const uint64_t end = begin + sorted[i]->out.size();
    if (!ranges.empty() && begin / kPage <= (ranges.back().end - 1) / kPage) {
      ranges.back().end = std::max(ranges.back().end, end);
      ranges.back().last = i + 1;
    } else {
      ranges.push_back({begin, end, i, i + 1});
    }
  }
  return ranges;
}

// Reads the ranges into `out`, one behind the other, as far as one system call comes. Returns how
// many are there.
size_t read_ranges(int pid, std::span<const Range> ranges, std::vector<std::byte>& out) {
  std::array<iovec, kVectors> remote{};
  size_t size = 0;
  const size_t count = std::min(kVectors, ranges.size());
  for (size_t i = 0; i < count; ++i) {
    remote[i] = {reinterpret_cast<void*>(ranges[i].begin), ranges[i].end - ranges[i].begin};
    size += remote[i].iov_len;
  }
  out.resize(size);
  iovec local{out.data(), size};
  const ssize_t got = ::process_vm_readv(pid, &local, 1, remote.data(), count, 0);
  size_t left = got > 0 ? static_cast<size_t>(got) : 0;
  size_t whole = 0;
  while (whole < count && left >= remote[whole].iov_len) left -= remote[whole++].iov_len;
  return whole;
}

}  // namespace

void ProcessMemory::read(std::span<Piece> pieces) {
  std::vector<Piece*> sorted;
  for (Piece& piece : pieces) {
    piece.done = false;
    if (is_sane(piece)) sorted.push_back(&piece);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const Piece* a, const Piece* b) { return a->address < b->address; });
  const std::vector<Range> all = ranges_of(sorted);
  std::span<const Range> ranges(all);
  while (!ranges.empty()) {
    const size_t whole = read_ranges(pid_, ranges, scratch_);
    size_t offset = 0;
    for (const Range& range : ranges.first(whole)) {
      for (size_t i = range.first; i < range.last; ++i) {
        Piece& piece = *sorted[i];
        std::memcpy(piece.out.data(),
                    scratch_.data() + offset + (piece.address.value - range.begin),
                    piece.out.size());
        piece.done = true;
      }
      offset += range.end - range.begin;
    }
    ranges = ranges.subspan(whole);
    if (whole != 0 || ranges.empty()) continue;
    // The first of them stopped it: its pieces are read one by one, in whatever way there is.
    for (size_t i = ranges.front().first; i < ranges.front().last; ++i) {
      Piece& piece = *sorted[i];
      piece.done = read_memory(pid_, piece.address, piece.out) == piece.out.size();
    }
    ranges = ranges.subspan(1);
  }
}

}  // namespace tailback
