// Functions of the intercept table by name: their numbers change with the table.
#pragma once

#include <cstdint>
#include <string>

namespace tailback {

std::string name_of_function(uint32_t function);
// 0 if there is none of this name.
uint32_t function_named(const std::string& name);

}  // namespace tailback
