#include "runtime/capture/memory.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace tailback {
namespace {

constexpr uint64_t kPage = 4096;
constexpr size_t kVectors = 256;

// For where a sandbox forbids process_vm_readv but leaves the file.
size_t read_through_file(int pid, RemoteAddress address, std::span<std::byte> out) {
  const std::string path = "/proc/" + std::to_string(pid) + "/mem";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t n =
        ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(address.value + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  ::close(fd);
  return done;
}

}  // namespace

size_t read_memory(int pid, RemoteAddress address, std::span<std::byte> out) {
  if (pid <= 0 || out.empty()) return 0;
  // The top of the address space is the kernel's: no sum below may wrap around.
  if (address.value >= (uint64_t{1} << 63)) return 0;
  size_t done = 0;
  while (done < out.size()) {
    // A read that runs into unmapped memory is cut only between the elements of the vector, so
    // there is one element for each page.
    std::array<iovec, kVectors> remote;
    size_t count = 0;
    size_t size = 0;
    while (count < kVectors && done + size < out.size()) {
      const uint64_t at = address.value + done + size;
      const size_t piece =
          std::min<size_t>(out.size() - done - size, kPage - static_cast<size_t>(at % kPage));
      remote[count].iov_base = reinterpret_cast<void*>(at);
      remote[count].iov_len = piece;
      size += piece;
      ++count;
    }
    iovec local{out.data() + done, size};
    const ssize_t n = ::process_vm_readv(pid, &local, 1, remote.data(), count, 0);
    if (n < 0 && done == 0 && (errno == ENOSYS || errno == EPERM))
      return read_through_file(pid, address, out);
    if (n <= 0) break;
    done += static_cast<size_t>(n);
    if (static_cast<size_t>(n) < size) break;
  }
  return done;
}

std::optional<std::string> read_string(int pid, RemoteAddress address, size_t max) {
  std::string text;
  while (text.size() < max) {
    std::array<char, 256> piece;
    const size_t wanted = std::min(piece.size(), max - text.size());
    const size_t n = read_memory(pid, address + text.size(),
                                 std::as_writable_bytes(std::span(piece.data(), wanted)));
    if (n == 0) {
      if (text.empty()) return std::nullopt;
      break;
    }
    const size_t length = ::strnlen(piece.data(), n);
    text.append(piece.data(), length);
    if (length < n || n < wanted) break;
  }
  return text;
}

}  // namespace tailback
