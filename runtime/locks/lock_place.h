// What a lock lies in.
#pragma once

#include <cstdint>

#include "runtime/capture/module_map.h"

namespace tailback {

// It decides whether one address means one lock for as long as the process lives.
enum class LockPlace {
  kModule,  // a variable of the program: there for as long as its module
  kHeap,    // allocated: there until it is freed
  kStack,   // of a thread: there until its function returns, which nobody sees
};
LockPlace place_of_lock(const ModuleMap& modules, uint64_t address);

}  // namespace tailback
