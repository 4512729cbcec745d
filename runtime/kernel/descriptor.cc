#include "runtime/kernel/descriptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

#include "runtime/kernel/kernel_view.h"

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

// An endpoint as /proc/net/tcp writes it: address in hexadecimal words of host order, ':', port.
std::string endpoint_text(std::string_view hex, int family) {
  const size_t colon = hex.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string port_text(hex.substr(colon + 1));
  const unsigned port = static_cast<unsigned>(std::strtoul(port_text.c_str(), nullptr, 16));
  char text[INET6_ADDRSTRLEN] = "";
  uint32_t words[4] = {};
  const size_t count = family == AF_INET ? 1 : 4;
  if (colon != count * 8) return {};
  for (size_t i = 0; i < count; ++i) {
    words[i] =
        static_cast<uint32_t>(std::strtoul(std::string(hex.substr(i * 8, 8)).c_str(), nullptr, 16));
  }
  if (!inet_ntop(family, words, text, sizeof text)) return {};
  if (port == 0)
    return family == AF_INET6 ? fmt::format("[{}]:*", text) : fmt::format("{}:*", text);
  return family == AF_INET6 ? fmt::format("[{}]:{}", text, port) : fmt::format("{}:{}", text, port);
}

std::optional<std::string> find_internet_socket(int pid, const char* table, int family,
                                                uint64_t inode) {
  std::ifstream file(fmt::format("/proc/{}/net/{}", pid, table));
  std::string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line)) {
    char local[64];
    char remote[64];
    unsigned state = 0;
    uint64_t line_inode = 0;
    if (std::sscanf(line.c_str(), " %*[^:]: %63s %63s %x %*s %*s %*s %*s %*s %" SCNu64, local,
                    remote, &state, &line_inode) != 4 ||
        line_inode != inode) {
      continue;
    }
    const std::string protocol(table, 3);
    const std::string here = endpoint_text(local, family);
    constexpr unsigned kListening = 10;
    if (protocol == "tcp" && state == kListening) return fmt::format("tcp {} (listening)", here);
    const std::string there = endpoint_text(remote, family);
    const bool has_peer = !there.ends_with(":*");
    return has_peer ? fmt::format("{} {} → {}", protocol, here, there)
                    : fmt::format("{} {}", protocol, here);
  }
  return std::nullopt;
}

std::optional<std::string> find_unix_socket(int pid, uint64_t inode) {
  std::ifstream file(fmt::format("/proc/{}/net/unix", pid));
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    uint64_t line_inode = 0;
    int path_at = 0;
    if (std::sscanf(line.c_str(), "%*s %*s %*s %*s %*s %*s %" SCNu64 "%n", &line_inode, &path_at) !=
            1 ||
        line_inode != inode) {
      continue;
    }
    const std::string path = line.substr(static_cast<size_t>(path_at));
    return path.size() > 1 ? "unix" + path : std::string("unix socket");
  }
  return std::nullopt;
}

std::string socket_text(int pid, uint64_t inode) {
  if (auto text = find_internet_socket(pid, "tcp", AF_INET, inode)) return *text;
  if (auto text = find_internet_socket(pid, "tcp6", AF_INET6, inode)) return *text;
  if (auto text = find_unix_socket(pid, inode)) return *text;
  if (auto text = find_internet_socket(pid, "udp", AF_INET, inode)) return *text;
  if (auto text = find_internet_socket(pid, "udp6", AF_INET6, inode)) return *text;
  return "socket";
}

}  // namespace

DescriptorFacts describe_descriptor(int pid, int fd) {
  if (fd < 0) return {};
  const auto link = read_descriptor_link(pid, fd);
  if (!link) return {};
  if (link->starts_with("socket:[")) {
    const uint64_t inode = std::strtoull(link->c_str() + std::strlen("socket:["), nullptr, 10);
    return {DescriptorKind::kSocket, socket_text(pid, inode), 0};
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

std::string socket_address_text(const void* address, unsigned length) {
  char text[INET6_ADDRSTRLEN] = "";
  sa_family_t family = AF_UNSPEC;
  if (length < sizeof family) return {};
  std::memcpy(&family, address, sizeof family);
  if (family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    return fmt::format("{}:{}", text, ntohs(in.sin_port));
  }
  if (family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
    return fmt::format("[{}]:{}", text, ntohs(in.sin6_port));
  }
  if (family == AF_UNIX && length > offsetof(sockaddr_un, sun_path)) {
    sockaddr_un un{};
    std::memcpy(&un, address, std::min<size_t>(length, sizeof un));
    const size_t room = std::min<size_t>(length, sizeof un) - offsetof(sockaddr_un, sun_path);
    // An abstract name begins with a zero byte and has no other end than its length.
    if (un.sun_path[0] == '\0') return "unix @" + std::string(un.sun_path + 1, room - 1);
    return "unix " + std::string(un.sun_path, strnlen(un.sun_path, room));
  }
  return {};
}

}  // namespace tailback
