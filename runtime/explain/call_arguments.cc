#include "runtime/explain/call_arguments.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>

#include "runtime/capture/memory.h"
#include "runtime/explain/constant_names.h"
#include "runtime/kernel/descriptor.h"
#include "runtime/kernel/kernel_view.h"
#include "runtime/kernel/socket_text.h"

namespace tailback {

namespace {

constexpr size_t kLongestText = 4096;

std::string time_text(int pid, uint64_t address) {
  if (address == 0) return "none";
  const auto time = read<timespec>(pid, RemoteAddress(address));
  if (!time) return fmt::format("{:#x}", address);
  return fmt::format("{} s",
                     static_cast<double>(time->tv_sec) + static_cast<double>(time->tv_nsec) / 1e9);
}

// A point in time of a clock, as what is left until then.
std::string deadline_text(int pid, uint64_t address, clockid_t clock) {
  const auto time = read<timespec>(pid, RemoteAddress(address));
  timespec now{};
  if (!time || clock_gettime(clock, &now) != 0) return time_text(pid, address);
  // In floating point, as the target's numbers may be anything.
  const double left = static_cast<double>(time->tv_sec) - static_cast<double>(now.tv_sec) +
                      (static_cast<double>(time->tv_nsec) - static_cast<double>(now.tv_nsec)) / 1e9;
  return left >= 0 ? fmt::format("in {:.3f} s", left) : fmt::format("{:.3f} s ago", -left);
}

// The clock of a condition variable's deadlines: glibc keeps it in a bit of its count of waiters
// (__PTHREAD_COND_CLOCK_MONOTONIC_MASK).
clockid_t condition_clock(int pid, uint64_t address) {
  constexpr unsigned kMonotonic = 2;
  const auto condition = read<pthread_cond_t>(pid, RemoteAddress(address));
  const bool is_monotonic = condition && (condition->__data.__wrefs & kMonotonic) != 0;
  return is_monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

// A length for FUTEX_WAIT, a point in time for the operations that came later; a count for those
// that don't wait.
std::string futex_time_text(int pid, const Role& role) {
  const auto operation = static_cast<int>(role.neighbour(-2));
  const bool of_realtime = (operation & FUTEX_CLOCK_REALTIME) != 0;
  switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
      return time_text(pid, role.value());
    case FUTEX_LOCK_PI:
      return deadline_text(pid, role.value(), CLOCK_REALTIME);
    case FUTEX_LOCK_PI2:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
      return deadline_text(pid, role.value(), of_realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC);
    default:
      return fmt::format("{:#x}", role.value());
  }
}

std::string sockaddr_text(int pid, uint64_t address, uint64_t length) {
  sockaddr_storage storage{};
  const size_t size = std::min<uint64_t>(length, sizeof storage);
  const size_t got = read_memory(pid, RemoteAddress(address),
                                 std::as_writable_bytes(std::span(&storage, 1)).subspan(0, size));
  std::string text = socket_address_text(&storage, static_cast<unsigned>(got));
  return text.empty() ? fmt::format("{:#x}", address) : text;
}

std::string descriptors_text(const std::vector<int>& descriptors) {
  return fmt::format("[{}]", fmt::join(descriptors, ", "));
}

std::string string_text(int pid, uint64_t address) {
  if (address == 0) return "(null)";
  return read_string(pid, RemoteAddress(address), kLongestText)
      .value_or(fmt::format("{:#x}", address));
}

Argument number(const Role& role, int64_t value) {
  return {role.name, std::to_string(value), true};
}

}  // namespace

std::vector<Role> parse_roles(std::string_view roles, std::span<const uint64_t> arguments) {
  std::vector<Role> parsed;
  size_t index = 0;
  while (!roles.empty() && index < arguments.size()) {
    const size_t end = std::min(roles.find(' '), roles.size());
    const std::string_view word = roles.substr(0, end);
    roles.remove_prefix(std::min(end + 1, roles.size()));
    const size_t colon = word.find(':');
    if (colon == std::string_view::npos) continue;
    Role role;
    role.name = word.substr(0, colon);
    role.kind = word.substr(colon + 1);
    role.is_object = role.kind.starts_with('*');
    if (role.is_object) role.kind.erase(0, 1);
    role.index = index;
    if (!parsed.empty()) role.before = parsed.back().kind;
    role.arguments = arguments;
    parsed.push_back(std::move(role));
    ++index;
  }
  return parsed;
}

Argument render_argument(int pid, const Role& role) {
  const std::string& kind = role.kind;
  const auto word = static_cast<int64_t>(role.value());
  const auto half = static_cast<int32_t>(role.value());
  const auto is_any_of = [&](std::initializer_list<std::string_view> kinds) {
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  };
  if (is_any_of({"fd", "mqd", "int", "pid", "ms", "msgq", "semid"})) return number(role, half);
  if (is_any_of({"size", "s", "us"})) return number(role, word);
  if (kind == "dirfd")
    return half == AT_FDCWD ? Argument{role.name, "AT_FDCWD"} : number(role, half);
  if (kind == "flags") return {role.name, fmt::format("{:#x}", static_cast<uint32_t>(half))};
  if (kind == "mode") return {role.name, fmt::format("{:#o}", static_cast<uint32_t>(half))};
  if (kind == "fcntl") return {role.name, fcntl_command_name(half)};
  if (kind == "futexop") return {role.name, futex_operation_name(half)};
  if (kind == "flockop") return {role.name, flock_operation_name(half)};
  if (kind == "lockfop") return {role.name, lockf_operation_name(half)};
  if (kind == "idtype") return {role.name, id_type_name(half)};
  if (kind == "path" || kind == "text") return {role.name, string_text(pid, role.value())};
  if (kind == "time") return {role.name, time_text(pid, role.value())};
  if (kind == "sleep") {
    const bool is_deadline = (role.neighbour(-1) & TIMER_ABSTIME) != 0;
    if (!is_deadline) return {role.name, time_text(pid, role.value())};
    return {role.name,
            deadline_text(pid, role.value(), static_cast<clockid_t>(role.neighbour(-2)))};
  }
  if (kind == "clockend") {
    return {role.name,
            deadline_text(pid, role.value(), static_cast<clockid_t>(role.neighbour(-1)))};
  }
  if (kind == "clockbehind") {
    return {role.name, deadline_text(pid, role.value(), static_cast<clockid_t>(role.neighbour(1)))};
  }
  if (kind == "futextime") return {role.name, futex_time_text(pid, role)};
  if (kind == "deadline") return {role.name, deadline_text(pid, role.value(), CLOCK_REALTIME)};
  if (kind == "condend") {
    return {role.name, deadline_text(pid, role.value(), condition_clock(pid, role.neighbour(-2)))};
  }
  if (kind == "sockaddr") return {role.name, sockaddr_text(pid, role.value(), role.neighbour(1))};
  if (kind == "pollfds" || kind == "fds") {
    return {role.name, descriptors_text(polled_descriptors(pid, role))};
  }
  if (kind == "stream" || kind == "dir") {
    if (const auto fd = descriptor_of(pid, role)) return {role.name, fmt::format("fd {}", *fd)};
  }
  return {role.name, fmt::format("{:#x}", role.value())};
}

bool is_standard_stream(const Role& role) {
  return role.kind == "stdin" || role.kind == "stdout" || role.kind == "stderr";
}

std::optional<int> descriptor_of(int pid, const Role& role) {
  if (role.kind == "stdin") return STDIN_FILENO;
  if (role.kind == "stdout") return STDOUT_FILENO;
  if (role.kind == "stderr") return STDERR_FILENO;
  if (role.kind == "fd" || role.kind == "mqd") return static_cast<int>(role.value());
  // Both are glibc's own: a FILE is declared in its headers, a DIR begins with its descriptor.
  uint64_t offset = 0;
  if (role.kind == "stream") {
    offset = offsetof(FILE, _fileno);
  } else if (role.kind != "dir") {
    return std::nullopt;
  }
  const auto fd = read<int>(pid, RemoteAddress(role.value()) + offset);
  return fd && *fd >= 0 ? fd : std::nullopt;
}

std::string path_in_full(int pid, const Role& role) {
  const auto text = read_string(pid, RemoteAddress(role.value()), kLongestText);
  if (!text) return string_text(pid, role.value());
  if (text->starts_with('/')) return *text;
  const bool has_dirfd = role.before == "dirfd";
  const auto dirfd = has_dirfd ? static_cast<int>(role.neighbour(-1)) : AT_FDCWD;
  const auto directory =
      dirfd == AT_FDCWD ? read_working_directory(pid) : read_descriptor_link(pid, dirfd);
  if (text->empty()) return has_dirfd && directory ? *directory : std::string();
  // What is no path ("pipe:[7]", "(unreachable)/x") is nothing to put another one behind.
  if (!directory || !directory->starts_with('/')) return *text;
  return *directory + (directory->ends_with('/') ? "" : "/") + *text;
}

std::vector<int> polled_descriptors(int pid, const Role& role) {
  constexpr size_t kMost = 16;
  std::vector<int> descriptors;
  if (role.kind == "pollfds") {
    pollfd entries[kMost];
    const size_t count = std::min<uint64_t>(role.neighbour(1), kMost);
    const size_t bytes = read_memory(pid, RemoteAddress(role.value()),
                                     std::as_writable_bytes(std::span(entries, count)));
    for (size_t i = 0; i < bytes / sizeof(pollfd); ++i) {
      if (entries[i].fd >= 0) descriptors.push_back(entries[i].fd);
    }
  } else if (role.kind == "fds" && role.value() != 0) {
    uint64_t words[16] = {};
    const size_t count = std::min<uint64_t>(role.arguments.front(), 1024);  // select's nfds
    const size_t bytes = read_memory(pid, RemoteAddress(role.value()),
                                     std::as_writable_bytes(std::span(words, (count + 63) / 64)));
    for (size_t fd = 0; fd < std::min(count, bytes * 8) && descriptors.size() < kMost; ++fd) {
      if (words[fd / 64] >> (fd % 64) & 1) descriptors.push_back(static_cast<int>(fd));
    }
  }
  return descriptors;
}

}  // namespace tailback
