// The intercept table as an enum and as data, for both worlds.
#pragma once

#include <stdint.h>

namespace tailback::intercept {

// What a function waits on, judged by its name alone.
enum class Family : uint8_t {
  kNone,
  kEvents,
  kSleep,
  kFile,
  kSocket,
  kDns,  // hosts, users and whatever else may be looked up over the network
  kProcess,
  kLock,
  kWait,    // for another thread
  kIpc,     // for another process
  kSignal,  // for a signal
  kSystemCall,
};

// What the table says of a function beside its family: a set of bits.
using Traits = uint16_t;
inline constexpr Traits kPlain = 0;
// It may wait for as long as another thread, process or host takes. Its arguments can rule that out
// in one call: a descriptor that does not block, WNOHANG, a timeout of 0.
inline constexpr Traits kBlocks = 1;
// It sleeps until a thread or the holder of a lock lets it go on, and it has no time limit: a
// deadlock consists of such calls.
inline constexpr Traits kUntimed = 2;
// It locks files. Its command (a role of kind flockop, lockfop or fcntl) says whether it waits.
inline constexpr Traits kLocksFile = 4;
// It is not an event wait, but a loop may wait in it: it has wait sites.
inline constexpr Traits kNonEventWait = 8;

// When a call is recorded.
enum class Recording : uint8_t {
  kAlways,
  kUnlessReady,  // not when it can be done without waiting
  kEntryOnly,    // its return is not recorded: the call is open-ended
  kNever,        // it does not wait; it is intercepted to track locks
};

// 0 is "in no call"; the others are the table's lines, in its order.
enum class Function : uint32_t {
  kNone,
#define EACH(name, family, traits, roles, recording) name,
#include "instrument/contract/each_intercept.inc"
  kCount,
};

struct FunctionFacts {
  const char* name;
  Family family;
  Recording recording;
  Traits traits;
  const char* roles;  // see intercept_table.inc

  constexpr bool has(Traits trait) const { return (traits & trait) != 0; }
};

inline constexpr FunctionFacts kFunctions[] = {
    {"", Family::kNone, Recording::kNever, kPlain, ""},
#define EACH(name, family, traits, roles, recording) \
  {#name, Family::family, Recording::recording, traits, roles},
#include "instrument/contract/each_intercept.inc"
};

inline constexpr uint32_t kFunctionCount = static_cast<uint32_t>(Function::kCount);
static_assert(sizeof(kFunctions) / sizeof(kFunctions[0]) == kFunctionCount);

constexpr const FunctionFacts& facts_of(Function function) {
  return kFunctions[static_cast<uint32_t>(function)];
}

// Whether the role at `role` ("name:kind", "name:*kind") is of this kind.
constexpr bool is_role_of_kind(const char* role, const char* kind) {
  while (*role && *role != ':' && *role != ' ') ++role;
  if (*role != ':') return false;
  ++role;
  if (*role == '*') ++role;
  while (*kind && *role == *kind) {
    ++role;
    ++kind;
  }
  return *kind == '\0' && (*role == ' ' || *role == '\0');
}

// Whether a loop may wait for work in it that waits for no events: on a condition, a semaphore, a
// futex or by a sleep. Most such calls are none, so they have wait sites only on threads that the
// user has named as loops. syscall() may be a futex wait.
constexpr bool may_be_named_wait(Function function) {
  const FunctionFacts& facts = facts_of(function);
  return facts.family == Family::kWait || facts.family == Family::kSleep ||
         function == Function::syscall || function == Function::sem_wait ||
         function == Function::sem_timedwait || function == Function::sem_clockwait;
}

// Whether the first argument is a descriptor.
constexpr bool takes_descriptor(const FunctionFacts& facts) {
  return is_role_of_kind(facts.roles, "fd");
}

// Whether the argument that names what the call waits on is of this kind.
constexpr bool object_is(const FunctionFacts& facts, const char* kind) {
  for (const char* role = facts.roles; *role; ++role) {
    const bool begins = role == facts.roles || role[-1] == ' ';
    if (!begins || !is_role_of_kind(role, kind)) continue;
    const char* marked = role;
    while (*marked != ':') ++marked;
    if (marked[1] == '*') return true;
  }
  return false;
}

}  // namespace tailback::intercept
