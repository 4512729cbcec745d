// What locks are called in reports.
#pragma once

#include <string>

#include "runtime/sampling/stack_reader.h"
#include "runtime/values/lock.h"

namespace tailback {

// Written behind the address of a futex that is not the lock itself.
inline constexpr std::string_view kOwnWord = " [a word of the thread that waits]";

class LockNames {
 public:
  explicit LockNames(StackReader& reader) : reader_(reader) {}

  // The lock that a sampled thread of the process waits for.
  Lock lock_of(int pid, const Sample& waiter, const LockReading& reading);
  // Names the lock that the call waits for as the call's object, with the owner that the lock or
  // the interpreter names.
  void name_object(int pid, const Sample& sample, BlockedCall& call);

 private:
  // The symbol that covers it, else the mapping that it lies in.
  std::string name_at(int pid, const ModuleMap& modules, const LockReading& lock);

  StackReader& reader_;
};

// The lock as its owner has it: one that a writer waits for may be held for reading.
Lock as_held(Lock lock, bool for_writing);

}  // namespace tailback
