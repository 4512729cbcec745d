// A call in progress, explained: its name, its arguments, the object that it waits on, and the
// cause that follows from both.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "instrument/contract/intercepts.h"
#include "runtime/capture/remote_address.h"
#include "runtime/lock_state/lock_reading.h"
#include "runtime/values/stall.h"

namespace tailback {

struct CallInProgress {
  // kNone: seen through the kernel's eyes, `system_call` says which.
  intercept::Function function = intercept::Function::kNone;
  long system_call = -1;
  std::array<uint64_t, 6> arguments{};
};

struct CallDescription {
  BlockedCall call;
  Cause cause = Cause::kUnknown;
  // The lock or condition that is waited for, to be named by its symbol; and the thread that holds
  // it, if the lock says.
  RemoteAddress lock;
  int owner_tid = 0;
  // What that lock says; of a join, the thread whose end is waited for.
  std::optional<LockReading> reading{};
  // For a nested wait for events: the process's only child, which it may be about. Empty if there
  // is none, or several.
  std::string child;
  CallInProgress source{};  // what is described, if that was a call in progress
};

// What a call waits for of other threads or processes, without its name: the part of
// describe_call() that is quick. Nothing if it waits for none.
std::optional<LockReading> read_awaited_lock(int pid, const CallInProgress& call);

// Whether a call with these roles waits for a lock on a file: its command is one that waits.
bool waits_for_file_lock(std::string_view roles, std::span<const uint64_t> arguments);

// Reads what the arguments point to and what descriptors stand for: valid only if the thread is
// still in the call afterwards, which the caller checks.
CallDescription describe_call(int pid, const CallInProgress& call);

// The same of a call whose line of a table is given.
CallDescription describe_call(int pid, const std::string& name, intercept::Family family,
                              std::string_view roles, std::span<const uint64_t> arguments);

// The cause that a function's family stands for, before anything is known of its object.
Cause cause_of_family(intercept::Family family);
// As above, for a recorded function.
Cause cause_of_function(intercept::Function function);

}  // namespace tailback
