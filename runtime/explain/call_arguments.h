// Arguments of a call, rendered for people by the roles that the intercept table gives them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/values/stall.h"

namespace tailback {

struct Role {
  std::string name;
  std::string kind;        // "fd", "path", …: see intercept_table.inc
  bool is_object = false;  // names what the call waits on
  uint64_t value = 0;
  uint64_t next_value = 0;  // of the following argument: a sockaddr's length, the count of pollfds
  uint64_t previous_value = 0;
};

// The arguments that the roles name; those that were not recorded are left out.
std::vector<Role> parse_roles(std::string_view roles, std::span<const uint64_t> arguments);

// What the argument says, reading the target's memory where it points there. `pid`'s thread must
// still be in the call.
Argument render_argument(int pid, const Role& role);

// The descriptors in a struct pollfd array or a set of select(), 16 at most.
std::vector<int> polled_descriptors(int pid, const Role& role);

}  // namespace tailback
