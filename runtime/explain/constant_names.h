// Constants of the system's headers, by their names: "F_SETLKW" says more than 7.
#pragma once

#include <cstdint>
#include <string>

namespace tailback {

// Each gives the number itself where it has no name.
std::string fcntl_command_name(int64_t command);
std::string futex_operation_name(int64_t operation);  // without its PRIVATE and CLOCK flags
std::string flock_operation_name(int64_t operation);
std::string lockf_operation_name(int64_t operation);
std::string id_type_name(int64_t type);  // waitid's

}  // namespace tailback
