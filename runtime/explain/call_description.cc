#include "runtime/explain/call_description.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <fstream>

#include "runtime/capture/memory.h"
#include "runtime/explain/call_arguments.h"
#include "runtime/explain/system_calls.h"
#include "runtime/kernel/descriptor.h"
#include "runtime/kernel/kernel_view.h"

namespace tailback {

namespace {

using intercept::Family;

Cause cause_of_kind(DescriptorKind kind, Cause otherwise) {
  switch (kind) {
    case DescriptorKind::kFile:
    case DescriptorKind::kDirectory:
    case DescriptorKind::kDevice:
    case DescriptorKind::kTerminal:
      return Cause::kFile;
    case DescriptorKind::kPipe:
      return Cause::kIpc;
    case DescriptorKind::kSocket:
      return Cause::kSocket;
    case DescriptorKind::kEpoll:
    case DescriptorKind::kEvent:
      return Cause::kWait;
    case DescriptorKind::kUnknown:
      return otherwise;
  }
  return otherwise;
}

// A child's command line, its arguments apart by spaces.
std::string command_line(int pid) {
  std::string text = read_command_line(pid).value_or("");
  constexpr size_t kLongest = 200;
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return text;
}

// The only child of a process, for waits that name none.
int only_child(int pid) {
  std::ifstream file(fmt::format("/proc/{}/task/{}/children", pid, pid));
  int child = 0;
  int second = 0;
  file >> child;
  return file >> second ? 0 : child;
}

std::string child_text(int pid, int child) {
  if (child <= 0) child = only_child(pid);
  if (child <= 0) return {};
  const std::string command = command_line(child);
  return command.empty() ? fmt::format("child {}", child)
                         : fmt::format("child {}: {}", child, command);
}

// What select() waits for: its three sets stand side by side.
std::vector<int> selected_descriptors(int pid, const Role& first_set) {
  std::vector<int> descriptors;
  Role set = first_set;
  for (; set.index < std::min(first_set.index + 3, set.arguments.size()); ++set.index) {
    for (const int fd : polled_descriptors(pid, set)) {
      if (std::find(descriptors.begin(), descriptors.end(), fd) == descriptors.end()) {
        descriptors.push_back(fd);
      }
    }
  }
  return descriptors;
}

// A poll of nothing is a sleep; of a set that can't be read, something unknown.
bool polls_nothing(const Role& role) {
  if (role.kind == "pollfds") return role.neighbour(1) == 0;
  const bool has_set = role.value() != 0 || role.neighbour(1) != 0 || role.neighbour(2) != 0;
  return !has_set || role.arguments.front() == 0;
}

void describe_polled(int pid, const Role& role, CallDescription& description) {
  const std::vector<int> descriptors =
      role.kind == "fds" ? selected_descriptors(pid, role) : polled_descriptors(pid, role);
  if (descriptors.empty()) {
    if (polls_nothing(role)) description.cause = Cause::kSleep;
    return;
  }
  const DescriptorFacts facts = describe_descriptor(pid, descriptors.front());
  description.cause = cause_of_kind(facts.kind, description.cause);
  description.call.object = facts.text;
  if (descriptors.size() > 1) {
    description.call.object += fmt::format(" and {} more", descriptors.size() - 1);
  }
}

// What the lock's own fields say: glibc keeps the owner's thread id in a mutex.
void describe_mutex(int pid, const Role& role, CallDescription& description) {
  description.lock = RemoteAddress(role.value());
  if (const auto mutex = read<pthread_mutex_t>(pid, description.lock)) {
    description.owner_tid = mutex->__data.__owner;
  }
}

void describe_object(int pid, const Role& role, CallDescription& description) {
  BlockedCall& call = description.call;
  if (role.kind == "fd") {
    const DescriptorFacts facts = describe_descriptor(pid, static_cast<int>(role.value()));
    call.object = facts.text;
    description.cause = cause_of_kind(facts.kind, description.cause);
  } else if (role.kind == "path") {
    const Argument path = render_argument(pid, role);
    call.object = path.value;
    if (path_kind(pid, path.value) == DescriptorKind::kPipe) description.cause = Cause::kIpc;
  } else if (role.kind == "text" || role.kind == "sockaddr") {
    call.object = render_argument(pid, role).value;
  } else if (role.kind == "pid") {
    call.object = child_text(pid, static_cast<int>(role.value()));
  } else if (role.kind == "pollfds" || role.kind == "fds") {
    describe_polled(pid, role, description);
  } else if (role.kind == "mutex") {
    describe_mutex(pid, role, description);
  } else if (role.kind == "sem" || role.kind == "cond" || role.kind == "address") {
    description.lock = RemoteAddress(role.value());
  }
}

void describe(int pid, const std::string& name, Family family, std::string_view roles,
              std::span<const uint64_t> arguments, CallDescription& description) {
  description.call.function = name;
  description.cause = cause_of_family(family);
  bool has_object = false;
  for (const Role& role : parse_roles(roles, arguments)) {
    if (role.kind != "-") description.call.arguments.push_back(render_argument(pid, role));
    if (role.is_object) {
      describe_object(pid, role, description);
      has_object = true;
    }
  }
  if (!has_object && family == Family::kProcess) description.call.object = child_text(pid, 0);
  if (family == Family::kEvents) description.child = child_text(pid, 0);
}

}  // namespace

Cause cause_of_family(Family family) {
  switch (family) {
    case Family::kSleep:
      return Cause::kSleep;
    case Family::kFile:
      return Cause::kFile;
    case Family::kSocket:
      return Cause::kSocket;
    case Family::kDns:
      return Cause::kDns;
    case Family::kProcess:
      return Cause::kProcess;
    case Family::kLock:
      return Cause::kLock;
    case Family::kIpc:
      return Cause::kIpc;
    case Family::kWait:
    case Family::kSignal:
    case Family::kEvents:
      return Cause::kWait;
    case Family::kSystemCall:
    case Family::kNone:
      return Cause::kUnknown;
  }
  return Cause::kUnknown;
}

Cause cause_of_function(intercept::Function function) {
  const auto index = static_cast<uint32_t>(function);
  return index < intercept::kFunctionCount ? cause_of_family(intercept::kFunctions[index].family)
                                           : Cause::kUnknown;
}

CallDescription describe_call(int pid, const CallInProgress& call) {
  CallDescription description;
  const auto index = static_cast<uint32_t>(call.function);
  if (call.function != intercept::Function::kNone &&
      call.function != intercept::Function::syscall && index < intercept::kFunctionCount) {
    const intercept::FunctionFacts& facts = intercept::kFunctions[index];
    describe(pid, facts.name, facts.family, facts.roles, call.arguments, description);
    return description;
  }
  if (call.function == intercept::Function::syscall) {
    const SystemCallFacts facts = system_call_facts(static_cast<long>(call.arguments[0]));
    describe(pid, facts.name, facts.family, facts.roles,
             std::span<const uint64_t>(call.arguments).subspan(1), description);
    return description;
  }
  const SystemCallFacts facts = system_call_facts(call.system_call);
  describe(pid, facts.name, facts.family, facts.roles, call.arguments, description);
  description.call.intercepted = false;
  return description;
}

}  // namespace tailback
