#include "runtime/explain/able_to_block.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netdb.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "runtime/capture/memory.h"
#include "runtime/explain/call_arguments.h"
#include "runtime/explain/call_description.h"
#include "runtime/kernel/descriptor.h"
#include "runtime/kernel/kernel_view.h"

namespace tailback {

namespace {

using intercept::Family;

// One call, with its arguments by their names in the table.
class CallToJudge {
 public:
  CallToJudge(int pid, const intercept::FunctionFacts& facts, std::span<const uint64_t> arguments)
      : pid_(pid),
        facts_(facts),
        arguments_(arguments),
        roles_(parse_roles(facts.roles, arguments)) {}

  bool locks_file() const { return facts_.has(intercept::kLocksFile); }
  bool waits_for_file_lock() const {
    return tailback::waits_for_file_lock(facts_.roles, arguments_);
  }

  const Role* role(std::string_view name) const {
    const auto found = std::find_if(roles_.begin(), roles_.end(),
                                    [&](const Role& role) { return role.name == name; });
    return found == roles_.end() ? nullptr : &*found;
  }
  bool has_flag(std::string_view name, uint64_t flag) const {
    const Role* flags = role(name);
    return flags && (flags->value() & flag) != 0;
  }
  // The first role of one of these kinds.
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

  // A timeout of 0. A null pointer is no timeout.
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

  // Whether the call's descriptor blocks, and is one that another process or host makes ready.
  bool has_blocking_descriptor() const {
    const Role* role = of_kind({"fd", "stream", "mqd", "stdin", "stdout", "stderr"});
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
    if (!path || has_flag("flags", O_NONBLOCK)) return false;
    const int dirfd = path->before == "dirfd" ? static_cast<int>(path->neighbour(-1)) : AT_FDCWD;
    return path_kind(pid_, dirfd, text_of(*path)) == DescriptorKind::kPipe;
  }

 private:
  int pid_;
  const intercept::FunctionFacts& facts_;
  std::span<const uint64_t> arguments_;
  std::vector<Role> roles_;
};

bool sleeps(const CallToJudge& call) {
  const Role* time = call.of_kind({"time", "sleep"});
  if (!time) return call.of_kind({"s", "us"}) && call.of_kind({"s", "us"})->value() != 0;
  const auto asked = call.pointed_to<timespec>(*time);
  return asked && (asked->tv_sec != 0 || asked->tv_nsec != 0);
}

bool file_call_blocks(const CallToJudge& call) {
  if (call.locks_file()) return call.waits_for_file_lock();
  return call.opens_fifo() || call.has_blocking_descriptor();
}

bool name_is_address(const CallToJudge& call) {
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

bool semaphore_blocks(const CallToJudge& call) {
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
  if (!facts.has(intercept::kBlocks)) return false;
  const CallToJudge call(pid, facts, arguments);
  switch (facts.family) {
    case Family::kSleep:
      return sleeps(call);
    case Family::kEvents:
    case Family::kSignal:
      return !call.has_zero_timeout();
    case Family::kFile:
      return file_call_blocks(call);
    case Family::kSocket:
      return !call.has_flag("flags", MSG_DONTWAIT) && call.has_blocking_descriptor();
    case Family::kDns:
      return !name_is_address(call);
    case Family::kProcess:
      return !call.has_flag("options", WNOHANG);
    case Family::kLock:  // an uncontended one is not recorded
    case Family::kWait:
      return true;
    case Family::kIpc:
      if (call.of_kind({"semid"})) return semaphore_blocks(call);
      if (call.of_kind({"mqd"})) return call.has_blocking_descriptor();
      return !call.has_flag("flags", IPC_NOWAIT);
    case Family::kSystemCall:
      return arguments[0] == SYS_futex && futex_blocks(arguments);
    case Family::kNone:
      return false;
  }
  return false;
}

}  // namespace tailback
