// The program's environment, read without libc, as getenv may not work yet. Under a bare preload
// one variable is added.
#pragma once

#include <stddef.h>

namespace tailback {

// The value of a variable, or nullptr.
const char* environment_value(const char* name);

// Copies the environment into `out` without this variable. `out` must have room for
// environment_count() + 1 pointers.
void copy_environment_without(const char* name, char** out);
size_t environment_count();

// Adds `entry` ("NAME=value", which must stay valid for ever) to the program's environment. A new
// array, in memory mapped for it, replaces the old one.
void add_to_environment(char* entry);

// Newly mapped memory of a page or more; nullptr if there is none.
void* map_pages(size_t size);

}  // namespace tailback
