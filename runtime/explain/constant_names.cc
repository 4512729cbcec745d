#include "runtime/explain/constant_names.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <span>

namespace tailback {

namespace {

struct Constant {
  int64_t value;
  const char* name;
};
#define CONSTANT(name) \
  { name, #name }

constexpr Constant kFcntlCommands[] = {
    CONSTANT(F_DUPFD),
    CONSTANT(F_GETFD),
    CONSTANT(F_SETFD),
    CONSTANT(F_GETFL),
    CONSTANT(F_SETFL),
    CONSTANT(F_GETLK),
    CONSTANT(F_SETLK),
    CONSTANT(F_SETLKW),
    CONSTANT(F_SETOWN),
    CONSTANT(F_GETOWN),
    CONSTANT(F_SETSIG),
    CONSTANT(F_GETSIG),
    CONSTANT(F_SETOWN_EX),
    CONSTANT(F_GETOWN_EX),
    CONSTANT(F_OFD_GETLK),
    CONSTANT(F_OFD_SETLK),
    CONSTANT(F_OFD_SETLKW),
    CONSTANT(F_SETLEASE),
    CONSTANT(F_GETLEASE),
    CONSTANT(F_NOTIFY),
    CONSTANT(F_SETPIPE_SZ),
    CONSTANT(F_GETPIPE_SZ),
    CONSTANT(F_ADD_SEALS),
    CONSTANT(F_GET_SEALS),
    CONSTANT(F_GET_RW_HINT),
    CONSTANT(F_SET_RW_HINT),
    CONSTANT(F_GET_FILE_RW_HINT),
    CONSTANT(F_SET_FILE_RW_HINT),
    CONSTANT(F_DUPFD_CLOEXEC),
};

constexpr Constant kFutexOperations[] = {
    CONSTANT(FUTEX_WAIT),           CONSTANT(FUTEX_WAKE),        CONSTANT(FUTEX_FD),
    CONSTANT(FUTEX_REQUEUE),        CONSTANT(FUTEX_CMP_REQUEUE), CONSTANT(FUTEX_WAKE_OP),
    CONSTANT(FUTEX_LOCK_PI),        CONSTANT(FUTEX_UNLOCK_PI),   CONSTANT(FUTEX_TRYLOCK_PI),
    CONSTANT(FUTEX_WAIT_BITSET),    CONSTANT(FUTEX_WAKE_BITSET), CONSTANT(FUTEX_WAIT_REQUEUE_PI),
    CONSTANT(FUTEX_CMP_REQUEUE_PI), CONSTANT(FUTEX_LOCK_PI2),
};

constexpr Constant kFlockOperations[] = {
    CONSTANT(LOCK_SH),
    CONSTANT(LOCK_EX),
    CONSTANT(LOCK_UN),
};

constexpr Constant kLockfOperations[] = {
    CONSTANT(F_ULOCK),
    CONSTANT(F_LOCK),
    CONSTANT(F_TLOCK),
    CONSTANT(F_TEST),
};

constexpr Constant kIdTypes[] = {
    CONSTANT(P_ALL),
    CONSTANT(P_PID),
    CONSTANT(P_PGID),
    CONSTANT(P_PIDFD),
};
#undef CONSTANT

std::string name_of(std::span<const Constant> constants, int64_t value) {
  for (const Constant& constant : constants) {
    if (constant.value == value) return constant.name;
  }
  return std::to_string(value);
}

}  // namespace

std::string fcntl_command_name(int64_t command) {
  return name_of(kFcntlCommands, command);
}

std::string futex_operation_name(int64_t operation) {
  return name_of(kFutexOperations, operation & FUTEX_CMD_MASK);
}

std::string flock_operation_name(int64_t operation) {
  const bool at_once = (operation & LOCK_NB) != 0;
  return name_of(kFlockOperations, operation & ~int64_t{LOCK_NB}) + (at_once ? "|LOCK_NB" : "");
}

std::string lockf_operation_name(int64_t operation) {
  return name_of(kLockfOperations, operation);
}

std::string id_type_name(int64_t type) {
  return name_of(kIdTypes, type);
}

}  // namespace tailback
