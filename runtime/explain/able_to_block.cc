#include "runtime/explain/able_to_block.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netdb.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "runtime/capture/memory.h"
#include "runtime/explain/call_arguments.h"
#include "runtime/kernel/descriptor.h"
#include "runtime/kernel/kernel_view.h"

namespace tailback {

namespace {

using intercept::Family;

// One call, its arguments by their names in the table.
class Asked {
 public:
  Asked(int pid, const intercept::FunctionFacts& facts, std::span<const uint64_t> arguments)
      : pid_(pid), name_(facts.name), roles_(parse_roles(facts.roles, arguments)) {}

  std::string_view name() const { return name_; }
  bool is_one_of(std::initializer_list<std::string_view> names) const {
    return std::find(names.begin(), names.end(), name_) != names.end();
  }
  bool name_has(std::string_view part) const { return name_.find(part) != std::string_view::npos; }

  const Role* role(std::string_view name) const {
    const auto found = std::find_if(roles_.begin(), roles_.end(),
                                    [&](const Role& role) { return role.name == name; });
    return found == roles_.end() ? nullptr : &*found;
  }
  bool has_flag(std::string_view name, uint64_t flag) const {
    const Role* flags = role(name);
    return flags && (flags->value() & flag) != 0;
  }
  // Of a kind that the roles name: the first.
  const Role* of_kind(std::initializer_list<std::string_view> kinds) const {
    const auto found = std::find_if(roles_.begin(), roles_.end(), [&](const Role& role) {
      return std::find(kinds.begin(), kinds.end(), role.kind) != kinds.end();
    });
    return found == roles_.end() ? nullptr : &*found;
  }

  template <typename T>
  std::optional<T> pointed_to(const Role& role) const {
    return read<T>(pid_, RemoteAddress(role.value()));
  }

  std::string text_of(const Role& role) const { return render_argument(pid_, role).value; }

  // A wait that is told to end at once. A null pointer is no timeout.
  bool has_zero_timeout() const {
    const Role* timeout = role("timeout");
    if (!timeout) return false;
    if (timeout->kind == "ms") return static_cast<int>(timeout->value()) == 0;
    if (timeout->value() == 0) return false;
    if (timeout->kind == "address") {  // select's
      const auto time = pointed_to<timeval>(*timeout);
      return time && time->tv_sec == 0 && time->tv_usec == 0;
    }
    const auto time = pointed_to<timespec>(*timeout);
    return time && time->tv_sec == 0 && time->tv_nsec == 0;
  }

  // Whether the descriptor of the call is one that waits for somebody else, and blocks.
  bool has_blocking_descriptor() const {
    const Role* role = of_kind({"fd", "stream", "mqd"});
    if (!role) return false;
    const auto fd = descriptor_of(pid_, *role);
    if (!fd || is_non_blocking(pid_, *fd)) return false;
    if (role->kind == "mqd") return true;
    switch (describe_descriptor(pid_, *fd).kind) {
      case DescriptorKind::kPipe:
      case DescriptorKind::kSocket:
      case DescriptorKind::kTerminal:
      case DescriptorKind::kEvent:
        return true;
      default:
        return false;
    }
  }

  bool opens_fifo() const {
    const Role* path = of_kind({"path"});
    if (!path || has_flag("flags", O_NONBLOCK) || !name_has("open")) return false;
    const int dirfd = path->before == "dirfd" ? static_cast<int>(path->neighbour(-1)) : AT_FDCWD;
    return path_kind(pid_, dirfd, text_of(*path)) == DescriptorKind::kPipe;
  }

 private:
  int pid_;
  std::string_view name_;
  std::vector<Role> roles_;
};

bool sleeps(const Asked& call) {
  const Role* time = call.of_kind({"time", "sleep"});
  if (!time) return call.of_kind({"s", "us"}) && call.of_kind({"s", "us"})->value() != 0;
  const auto asked = call.pointed_to<timespec>(*time);
  return asked && (asked->tv_sec != 0 || asked->tv_nsec != 0);
}

bool file_call_blocks(const Asked& call) {
  if (call.name() == "flock") return !call.has_flag("operation", LOCK_NB);
  if (call.is_one_of({"lockf", "lockf64"})) {
    const Role* command = call.of_kind({"lockfop"});
    return command && static_cast<int>(command->value()) == F_LOCK;
  }
  if (call.name_has("fcntl")) {
    const Role* command = call.of_kind({"fcntl"});
    const int asked = command ? static_cast<int>(command->value()) : -1;
    return asked == F_SETLKW || asked == F_OFD_SETLKW;
  }
  // What does not move data waits for a disk at most.
  constexpr std::array kDone = {"close",  "sync",      "fclose", "truncate", "alloc",
                                "advise", "readahead", "ioctl",  "seek",     "tell",
                                "pos",    "rewind",    "tc",     "tty"};
  const bool moves_no_data = std::any_of(kDone.begin(), kDone.end(),
                                         [&](const char* part) { return call.name_has(part); });
  if (moves_no_data && call.name() != "tcdrain") return false;
  return call.opens_fifo() || call.has_blocking_descriptor();
}

bool name_is_address(const Asked& call) {
  const Role* host = call.role("node");
  if (!host) host = call.role("name");
  if (!host) return false;
  if (host->value() == 0) return true;  // this machine
  const std::string text = call.text_of(*host);
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

bool futex_blocks(std::span<const uint64_t> arguments) {
  const int operation = static_cast<int>(arguments[2]) & FUTEX_CMD_MASK;
  return operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET || operation == FUTEX_LOCK_PI ||
         operation == FUTEX_LOCK_PI2 || operation == FUTEX_WAIT_REQUEUE_PI;
}

bool semaphore_blocks(const Asked& call) {
  const Role* operations = call.role("operations");
  const auto first = operations ? call.pointed_to<sembuf>(*operations) : std::nullopt;
  return !first || (first->sem_op <= 0 && (first->sem_flg & IPC_NOWAIT) == 0);
}

}  // namespace

bool is_able_to_block(int pid, const CallInProgress& in_progress) {
  const auto index = static_cast<uint32_t>(in_progress.function);
  if (index == 0 || index >= intercept::kFunctionCount) return false;
  const intercept::FunctionFacts& facts = intercept::kFunctions[index];
  const std::span<const uint64_t> arguments(in_progress.arguments);
  const Asked call(pid, facts, arguments);
  switch (facts.family) {
    case Family::kSleep:
      return sleeps(call);
    case Family::kEvents:
      return !call.has_zero_timeout() && call.name() != "io_uring_submit";
    case Family::kFile:
      return file_call_blocks(call);
    case Family::kSocket:
      return !call.has_flag("flags", MSG_DONTWAIT) && call.has_blocking_descriptor();
    case Family::kDns:
      if (!call.name_has("getaddrinfo") && !call.name_has("gethostby") && !call.name_has("res_")) {
        return false;
      }
      return !name_is_address(call);
    case Family::kProcess:
      if (!call.name_has("wait") && !call.is_one_of({"system", "pclose"})) return false;
      return !call.has_flag("options", WNOHANG);
    case Family::kLock:
      return true;  // one that was free is not recorded
    case Family::kWait:
      return !call.name_has("once");
    case Family::kIpc:
      if (call.name_has("semop") || call.name_has("semtimedop")) return semaphore_blocks(call);
      if (call.name_has("mq_")) return call.has_blocking_descriptor();
      return !call.has_flag("flags", IPC_NOWAIT);
    case Family::kSignal:
      return !call.has_zero_timeout();
    case Family::kSystemCall:
      return arguments[0] == SYS_futex && futex_blocks(arguments);
    case Family::kNone:
      return false;
  }
  return false;
}

}  // namespace tailback
