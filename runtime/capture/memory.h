// Reads another process's memory. Addresses may be anything: what can't be read is not read, and
// nothing here fails in any other way. Safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include "runtime/capture/remote_address.h"

namespace tailback {

// Reads up to out.size() bytes from `address` upwards, in one system call. Returns how many were
// read from the start without a gap: fewer where memory ends, 0 where there is none, or the process
// is gone or may not be read.
size_t read_memory(int pid, RemoteAddress address, std::span<std::byte> out);

// The NUL-terminated string at `address`, cut off at `max` bytes or where memory ends. Nothing if
// not one byte can be read. The text is the target's: hostile.
std::optional<std::string> read_string(int pid, RemoteAddress address, size_t max);

// The value at `address`, or nothing if not all of it can be read.
template <typename T>
std::optional<T> read(int pid, RemoteAddress address) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  if (read_memory(pid, address, std::as_writable_bytes(std::span(&value, 1))) != sizeof(T))
    return std::nullopt;
  return value;
}

}  // namespace tailback
