#include "runtime/kernel/descriptor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "runtime/kernel/kernel_view.h"
#include "runtime/kernel/socket_text.h"

namespace tailback {

namespace {

DescriptorKind kind_of(const struct statx& file) {
  switch (file.stx_mode & S_IFMT) {
    case S_IFREG:
      return DescriptorKind::kFile;
    case S_IFDIR:
      return DescriptorKind::kDirectory;
    case S_IFBLK:
      return DescriptorKind::kDevice;
    case S_IFIFO:
      return DescriptorKind::kPipe;
    case S_IFSOCK:
      return DescriptorKind::kSocket;
    case S_IFCHR: {
      const unsigned device_class = file.stx_rdev_major;
      const bool is_terminal =
          device_class == 4 || device_class == 5 || (device_class >= 136 && device_class <= 143);
      return is_terminal ? DescriptorKind::kTerminal : DescriptorKind::kDevice;
    }
    default:
      return DescriptorKind::kUnknown;
  }
}

// What the kernel knows without asking: a server that the target waits for must not keep us waiting
// too.
DescriptorKind kind_of(int directory, const std::string& path) {
  struct statx file {};
  const int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | (path.empty() ? AT_EMPTY_PATH : 0);
  if (statx(directory, path.c_str(), flags, STATX_TYPE, &file) != 0) {
    return DescriptorKind::kUnknown;
  }
  return kind_of(file);
}

// Opens a path only if every step to it is in the kernel's cache. Kernels before 5.12 don't know
// that, and look the path up.
int open_cached(int directory, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_CACHED;
  const long fd = syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how);
  if (fd >= 0 || errno == EAGAIN || errno == ENOENT) return static_cast<int>(fd);
  return openat(directory, path.c_str(), O_PATH | O_CLOEXEC);
}

}  // namespace

DescriptorFacts describe_descriptor(int pid, int fd) {
  if (fd < 0) return {};
  const auto link = read_descriptor_link(pid, fd);
  if (!link) return {};
  if (link->starts_with("socket:[")) {
    const uint64_t inode = std::strtoull(link->c_str() + std::strlen("socket:["), nullptr, 10);
    return {DescriptorKind::kSocket, socket_text(pid, fd, inode), 0};
  }
  if (link->starts_with("pipe:[")) return {DescriptorKind::kPipe, "pipe", 0};
  if (link->starts_with("pidfd:[") || *link == "anon_inode:[pidfd]") {
    return {DescriptorKind::kProcess, "pidfd", read_pidfd(pid, fd).value_or(0)};
  }
  constexpr std::string_view kAnonymous = "anon_inode:";
  if (link->starts_with(kAnonymous)) {
    std::string name = link->substr(kAnonymous.size());
    std::erase(name, '[');
    std::erase(name, ']');
    return {name == "eventpoll" ? DescriptorKind::kEpoll : DescriptorKind::kEvent, name, 0};
  }
  return {kind_of(AT_FDCWD, fmt::format("/proc/{}/fd/{}", pid, fd)), *link, 0};
}

std::optional<uint64_t> file_inode(int pid, int fd) {
  struct statx file {};
  const std::string path = fmt::format("/proc/{}/fd/{}", pid, fd);
  if (statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, STATX_INO, &file) != 0) return std::nullopt;
  return file.stx_ino;
}

DescriptorKind path_kind(int pid, int dirfd, const std::string& path) {
  std::string begin = fmt::format("/proc/{}/fd/{}", pid, dirfd);
  if (dirfd == AT_FDCWD) begin = fmt::format("/proc/{}/cwd", pid);
  if (path.starts_with('/')) begin = fmt::format("/proc/{}/root", pid);
  if (path.empty()) return DescriptorKind::kUnknown;
  const int directory = open(begin.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return DescriptorKind::kUnknown;
  const size_t name = path.find_first_not_of('/');
  const int fd = open_cached(directory, name == std::string::npos ? "." : path.substr(name));
  close(directory);
  if (fd < 0) return DescriptorKind::kUnknown;
  const DescriptorKind kind = kind_of(fd, "");
  close(fd);
  return kind;
}

}  // namespace tailback
