// A process's memory behind an interface, so that what walks through data structures in it is a
// pure function, which tests replay over recorded images. Many places are read in one system call.
// For one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "runtime/capture/remote_address.h"

namespace tailback {

class RemoteMemory {
 public:
  // One place to read: whole or not at all.
  struct Piece {
    RemoteAddress address;
    std::span<std::byte> out;
    bool done = false;
  };

  virtual ~RemoteMemory() = default;

  // Reads what can be read of the pieces, and sets `done` of each. Addresses may be anything.
  virtual void read(std::span<Piece> pieces) = 0;

  bool read(RemoteAddress address, std::span<std::byte> out) {
    Piece piece{address, out};
    read(std::span(&piece, 1));
    return piece.done;
  }

  // The value at `address`, or nothing if not all of it can be read.
  template <typename T>
  std::optional<T> value(RemoteAddress address) {
    static_assert(std::is_trivially_copyable_v<T>);
    T result;
    if (!read(address, std::as_writable_bytes(std::span(&result, 1)))) return std::nullopt;
    return result;
  }
};

// The memory of a live process.
class ProcessMemory final : public RemoteMemory {
 public:
  explicit ProcessMemory(int pid) : pid_(pid) {}
  using RemoteMemory::read;
  void read(std::span<Piece> pieces) override;

 private:
  int pid_;
  std::vector<std::byte> scratch_;
};

}  // namespace tailback
