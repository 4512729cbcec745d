// A call that a thread is in. A plain value.
#pragma once

#include <string>
#include <vector>

#include "runtime/values/frame.h"

namespace tailback {

// One argument of a call, rendered: a descriptor as its number, a path as its text.
struct Argument {
  std::string name;
  std::string value;
  bool is_number = false;  // `value` is a decimal integer

  bool operator==(const Argument&) const = default;
};

// The libc function or system call that the loop thread was in.
struct BlockedCall {
  std::string function;
  std::vector<Argument> arguments;
  std::string object;       // file, peer, host, child or lock that it waited on; empty if unknown
  bool intercepted = true;  // false: seen through the kernel's eyes only (inline system call, …)
  // What the thread that holds the lock runs, innermost first; empty if unknown.
  std::vector<Frame> owner_stack{};

  bool operator==(const BlockedCall&) const = default;
};

}  // namespace tailback
