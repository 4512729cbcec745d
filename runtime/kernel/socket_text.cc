#include "runtime/kernel/socket_text.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

namespace tailback {

namespace {

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
    const bool has_sibling = !there.ends_with(":*");
    return has_sibling ? fmt::format("{} {} → {}", protocol, here, there)
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

// A descriptor of the target's socket that is our own, for as long as this lives.
class BorrowedSocket {
 public:
  BorrowedSocket(int pid, int fd)
      : process_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
        socket_(process_ < 0 ? -1 : static_cast<int>(syscall(SYS_pidfd_getfd, process_, fd, 0))) {}
  ~BorrowedSocket() {
    if (socket_ >= 0) close(socket_);
    if (process_ >= 0) close(process_);
  }
  BorrowedSocket(const BorrowedSocket&) = delete;
  BorrowedSocket& operator=(const BorrowedSocket&) = delete;

  std::optional<int> option(int name) const {
    int value = 0;
    socklen_t length = sizeof value;
    if (socket_ < 0 || getsockopt(socket_, SOL_SOCKET, name, &value, &length) != 0) return {};
    return value;
  }
  // Empty if it has none.
  std::string name() const { return text_of(getsockname); }
  std::string peer() const { return text_of(getpeername); }

 private:
  template <typename Get>
  std::string text_of(Get get) const {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (get(socket_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
    return socket_address_text(&address, std::min<socklen_t>(length, sizeof address));
  }

  int process_;
  int socket_;
};

// Nothing if the socket can't be asked, or does not say all that the kernel's tables do: a
// connection that is being made has no peer yet.
std::optional<std::string> ask_socket(int pid, int fd) {
  const BorrowedSocket socket(pid, fd);
  const int domain = socket.option(SO_DOMAIN).value_or(AF_UNSPEC);
  const std::string here = socket.name();
  const std::string there = socket.peer();
  if (domain == AF_UNIX) return !here.empty() ? here : !there.empty() ? there : "unix socket";
  const int type = socket.option(SO_TYPE).value_or(0);
  const bool is_tcp = type == SOCK_STREAM;
  if ((domain != AF_INET && domain != AF_INET6) || here.empty()) return std::nullopt;
  if (!is_tcp && type != SOCK_DGRAM) return std::nullopt;
  const char* protocol = is_tcp ? "tcp" : "udp";
  if (!there.empty()) return fmt::format("{} {} → {}", protocol, here, there);
  if (!is_tcp) return fmt::format("{} {}", protocol, here);
  if (socket.option(SO_ACCEPTCONN) == 1) return fmt::format("tcp {} (listening)", here);
  return std::nullopt;
}

}  // namespace

std::string socket_text(int pid, int fd, uint64_t inode) {
  if (auto text = ask_socket(pid, fd)) return *text;
  if (auto text = find_internet_socket(pid, "tcp", AF_INET, inode)) return *text;
  if (auto text = find_internet_socket(pid, "tcp6", AF_INET6, inode)) return *text;
  if (auto text = find_unix_socket(pid, inode)) return *text;
  if (auto text = find_internet_socket(pid, "udp", AF_INET, inode)) return *text;
  if (auto text = find_internet_socket(pid, "udp6", AF_INET6, inode)) return *text;
  return "socket";
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
