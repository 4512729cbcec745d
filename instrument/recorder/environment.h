// The program's environment, read without libc (getenv may not work yet) and, under a bare preload,
// extended by one variable.
#pragma once

#include <stddef.h>

namespace tailback {

// The value of a variable, or nullptr.
const char* environment_value(const char* name);

// Copies the environment into `out` without the variable that has this name. `out` must have room
// for environment_count() + 1 pointers.
void copy_environment_without(const char* name, char** out);
size_t environment_count();

// Adds `entry` ("NAME=value", which must live for ever) to the program's environment. The array is
// replaced by one in memory mapped for it.
void add_to_environment(char* entry);

// Memory of its own for a page or more; nullptr if there is none.
void* map_pages(size_t size);

}  // namespace tailback
