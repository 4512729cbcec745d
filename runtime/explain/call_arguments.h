// Arguments of a call, rendered for people by the roles that the intercept table gives them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/values/stall.h"

namespace tailback {

struct Role {
  std::string name;
  std::string kind;        // "fd", "path", …: see intercept_table.inc
  std::string before;      // kind of the argument before; empty for the first
  bool is_object = false;  // names what the call waits on
  size_t index = 0;        // which argument it is
  // All arguments of the call: a sockaddr's length, an array's count stand beside it.
  std::span<const uint64_t> arguments;

  uint64_t value() const { return arguments[index]; }
  // Of the argument so many places further on (or back); 0 if there is none.
  uint64_t neighbour(int distance) const {
    const size_t at = index + static_cast<size_t>(distance);
    return at < arguments.size() ? arguments[at] : 0;
  }
};

// The arguments that the roles name; those that were not recorded are left out. The roles refer to
// `arguments`, which must outlive them.
std::vector<Role> parse_roles(std::string_view roles, std::span<const uint64_t> arguments);

// What the argument says, reading the target's memory where it points there. `pid`'s thread must
// still be in the call.
Argument render_argument(int pid, const Role& role);

// Whether the role stands for a stream that the function uses without being given it.
bool is_standard_stream(const Role& role);

// The descriptor that an argument of kind fd, mqd, stream or dir stands for, or a standard stream.
// Nothing if it is none, as in a stream over memory, or can't be read.
std::optional<int> descriptor_of(int pid, const Role& role);

// A path in full, as far as it can be known: what it is relative to is said by the dirfd before it,
// if there is one, or is the working directory. An empty path is the
// descriptor's own.
std::string path_in_full(int pid, const Role& role);

// The descriptors in a struct pollfd array or a set of select(), 16 at most.
std::vector<int> polled_descriptors(int pid, const Role& role);

}  // namespace tailback
