#include "runtime/explain/call_description.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>

#include "runtime/capture/memory.h"
#include "runtime/explain/call_arguments.h"
#include "runtime/explain/system_calls.h"
#include "runtime/kernel/descriptor.h"
#include "runtime/kernel/kernel_view.h"
#include "runtime/lock_state/file_locks.h"

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
    case DescriptorKind::kProcess:
      return Cause::kProcess;
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

std::string process_text(int pid, int process) {
  const char* relation = read_parent(process) == pid ? "child" : "process";
  const std::string command = command_line(process);
  return command.empty() ? fmt::format("{} {}", relation, process)
                         : fmt::format("{} {}: {}", relation, process, command);
}

std::string child_text(int pid, int child) {
  if (child <= 0) child = only_child(pid);
  return child > 0 ? process_text(pid, child) : std::string();
}

// Whom a wait for child processes waits for: named as waitpid() takes it, or, after an idtype, as
// waitid() does.
std::string awaited_text(int pid, const Role& role) {
  const auto id = static_cast<int>(role.value());
  if (role.before != "idtype") {
    return id < -1 ? fmt::format("process group {}", -static_cast<int64_t>(id))
                   : child_text(pid, id);
  }
  switch (static_cast<int>(role.neighbour(-1))) {
    case P_PID:
      return child_text(pid, id);
    case P_PIDFD:
      return child_text(pid, read_pidfd(pid, id).value_or(0));
    case P_PGID:
      return id > 0 ? fmt::format("process group {}", id) : child_text(pid, 0);
    default:
      return child_text(pid, 0);
  }
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

void explain_descriptor(int pid, int fd, CallDescription& description) {
  const DescriptorFacts facts = describe_descriptor(pid, fd);
  description.cause = cause_of_kind(facts.kind, description.cause);
  description.call.object = facts.process > 0 ? process_text(pid, facts.process) : facts.text;
}

void describe_polled(int pid, const Role& role, CallDescription& description) {
  const std::vector<int> descriptors =
      role.kind == "fds" ? selected_descriptors(pid, role) : polled_descriptors(pid, role);
  if (descriptors.empty()) {
    if (polls_nothing(role)) description.cause = Cause::kSleep;
    return;
  }
  explain_descriptor(pid, descriptors.front(), description);
  if (descriptors.size() > 1) {
    description.call.object += fmt::format(" and {} more", descriptors.size() - 1);
  }
}

// A lock on a file that is waited for. The kernel names the processes that have it.
std::optional<LockReading> read_file_lock(int pid, const std::string& function, const Role& role) {
  LockReading lock;
  lock.kind = LockKind::kFile;
  lock.type = function;
  const auto inode = file_inode(pid, static_cast<int>(role.value()));
  const auto holders = inode ? file_lock_holders(read_file_locks(), pid, *inode) : std::nullopt;
  if (!holders || holders->empty()) return lock;
  lock.owner_process = holders->size() == 1 ? holders->front() : -1;
  if (lock.owner_process < 0) {
    lock.holders = holders->size() == 1
                       ? "held by an open file description, of no process in particular"
                       : fmt::format("held by {} processes", holders->size());
  }
  return lock;
}

std::optional<LockReading> read_joined_thread(int pid, const Role& role) {
  const auto tid = thread_of(pid, RemoteAddress(role.value()));
  if (!tid || !read_comm(pid, *tid)) return std::nullopt;
  LockReading thread;
  thread.kind = LockKind::kThread;
  thread.owner = *tid;
  return thread;
}

// A futex: only the kinds that inherit priority have their owner in the word.
std::optional<LockReading> read_futex(int pid, const Role& role) {
  LockReading lock;
  lock.kind = LockKind::kFutex;
  lock.address = RemoteAddress(role.value());
  if (role.kind == "futexes") {
    constexpr uint64_t kAddress = 8;  // in the first struct futex_waitv
    const auto word = read<uint64_t>(pid, lock.address + kAddress);
    if (word) lock.address = RemoteAddress(*word);
    lock.between_processes = true;  // for all that is known
    return lock;
  }
  const auto flags = static_cast<int>(role.neighbour(1));
  const int operation = flags & FUTEX_CMD_MASK;
  lock.between_processes = (flags & FUTEX_PRIVATE_FLAG) == 0;
  if (operation != FUTEX_LOCK_PI && operation != FUTEX_LOCK_PI2) return lock;
  lock.type = "priority-inheriting";
  const auto word = read<uint32_t>(pid, lock.address);
  if (word) lock.owner = static_cast<int>(*word & FUTEX_TID_MASK);
  return lock;
}

std::optional<LockReading> read_lock(int pid, const std::string& function, std::string_view roles,
                                     const Role& role) {
  if (role.kind == "fd") {
    if (!waits_for_file_lock(roles, role.arguments)) return std::nullopt;
    return read_file_lock(pid, function, role);
  }
  if (role.kind == "thread") return read_joined_thread(pid, role);
  if (role.kind == "futex" || role.kind == "futexes") return read_futex(pid, role);
  return tailback::read_lock(pid, role.kind, RemoteAddress(role.value()), function);
}

// What the lock's own fields say.
void describe_lock(const Role& role, CallDescription& description) {
  description.lock = RemoteAddress(role.value());
  if (!description.reading) return;
  description.lock = description.reading->address;
  description.owner_tid = description.reading->owner;
  const int operation = static_cast<int>(role.neighbour(1)) & FUTEX_CMD_MASK;
  if (role.kind == "futex" && (operation == FUTEX_LOCK_PI || operation == FUTEX_LOCK_PI2)) {
    description.cause = Cause::kLock;
  }
}

// pclose() waits for the child that popen() started: its id follows the stream and the pointer to
// the stream's operations.
std::string piped_child_text(int pid, const Role& role) {
  constexpr uint64_t kChild = sizeof(FILE) + sizeof(void*);
  const auto child = read<int>(pid, RemoteAddress(role.value()) + kChild);
  return child_text(pid, child && *child > 0 && read_parent(*child) == pid ? *child : 0);
}

void describe_stream(int pid, Family family, const Role& role, CallDescription& description) {
  if (family == Family::kLock) {
    describe_lock(role, description);
  } else if (family == Family::kProcess) {
    description.call.object = piped_child_text(pid, role);
  } else if (const auto fd = descriptor_of(pid, role)) {
    explain_descriptor(pid, *fd, description);
  }
}

void describe_path(int pid, Family family, const Role& role, CallDescription& description) {
  const std::string path = render_argument(pid, role).value;
  const int dirfd = role.before == "dirfd" ? static_cast<int>(role.neighbour(-1)) : AT_FDCWD;
  if (path.empty() && dirfd != AT_FDCWD) {
    explain_descriptor(pid, dirfd, description);
    return;
  }
  description.call.object = path_in_full(pid, role);
  if (family == Family::kFile && path_kind(pid, dirfd, path) == DescriptorKind::kPipe) {
    description.cause = Cause::kIpc;
  }
}

void describe_object(int pid, Family family, const Role& role, CallDescription& description) {
  BlockedCall& call = description.call;
  const std::string& kind = role.kind;
  const auto number = static_cast<int>(role.value());
  if (kind == "fd") {
    explain_descriptor(pid, number, description);
  } else if (kind == "mqd") {
    call.object = read_descriptor_link(pid, number).value_or("");
  } else if (kind == "stream" || kind == "dir" || is_standard_stream(role)) {
    describe_stream(pid, family, role, description);
  } else if (kind == "path") {
    describe_path(pid, family, role, description);
  } else if (kind == "text" || kind == "sockaddr") {
    call.object = render_argument(pid, role).value;
  } else if (kind == "pid") {
    call.object = awaited_text(pid, role);
  } else if (kind == "pollfds" || kind == "fds") {
    describe_polled(pid, role, description);
  } else if (kind == "msgq") {
    call.object = fmt::format("message queue {}", number);
  } else if (kind == "semid") {
    call.object = fmt::format("semaphore set {}", number);
  } else if (kind == "thread") {
    if (description.reading) {
      const int tid = description.reading->owner;
      call.object = fmt::format("thread {} ({})", read_comm(pid, tid).value_or("?"), tid);
    }
  } else {
    describe_lock(role, description);
  }
}

}  // namespace

bool waits_for_file_lock(std::string_view roles, std::span<const uint64_t> arguments) {
  for (const Role& role : parse_roles(roles, arguments)) {
    const auto operation = static_cast<int>(role.value());
    if (role.kind == "flockop") return (operation & LOCK_NB) == 0;
    if (role.kind == "lockfop") return operation == F_LOCK;
    if (role.kind == "fcntl") return operation == F_SETLKW || operation == F_OFD_SETLKW;
  }
  return false;
}

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
    case Family::kWait:
    case Family::kEvents:
    case Family::kSignal:
      return Cause::kWait;
    case Family::kIpc:
      return Cause::kIpc;
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

CallDescription describe_call(int pid, const std::string& name, Family family,
                              std::string_view roles, std::span<const uint64_t> arguments) {
  CallDescription description;
  description.call.function = name;
  description.cause = cause_of_family(family);
  bool has_object = false;
  for (const Role& role : parse_roles(roles, arguments)) {
    if (role.kind != "-" && !is_standard_stream(role))
      description.call.arguments.push_back(render_argument(pid, role));
    if (role.is_object) {
      description.reading = read_lock(pid, name, roles, role);
      describe_object(pid, family, role, description);
      has_object = true;
    }
  }
  if (!has_object && family == Family::kProcess) description.call.object = child_text(pid, 0);
  if (family == Family::kEvents) description.child = child_text(pid, 0);
  return description;
}

namespace {

// The line of a table that a call is described by, and the arguments that its roles refer to.
struct CallLine {
  SystemCallFacts facts;
  std::span<const uint64_t> arguments;
  bool is_recorded;
};
CallLine line_of(const CallInProgress& call) {
  const std::span<const uint64_t> arguments(call.arguments);
  const auto index = static_cast<uint32_t>(call.function);
  const bool is_recorded =
      call.function != intercept::Function::kNone && index < intercept::kFunctionCount;
  if (is_recorded && call.function != intercept::Function::syscall) {
    const intercept::FunctionFacts& facts = intercept::kFunctions[index];
    return {{facts.name, facts.family, facts.roles}, arguments, true};
  }
  return {system_call_facts(is_recorded ? static_cast<long>(arguments[0]) : call.system_call),
          arguments.subspan(is_recorded ? 1 : 0), is_recorded};
}

}  // namespace

CallDescription describe_call(int pid, const CallInProgress& call) {
  const CallLine line = line_of(call);
  CallDescription description =
      describe_call(pid, line.facts.name, line.facts.family, line.facts.roles, line.arguments);
  description.call.intercepted = line.is_recorded;
  description.source = call;
  return description;
}

std::optional<LockReading> read_awaited_lock(int pid, const CallInProgress& call) {
  const CallLine line = line_of(call);
  for (const Role& role : parse_roles(line.facts.roles, line.arguments)) {
    if (role.is_object) return read_lock(pid, line.facts.name, line.facts.roles, role);
  }
  return std::nullopt;
}

}  // namespace tailback
