// The intercept table as an enum and as data, for both worlds.
#pragma once

#include <stdint.h>

namespace tailback::intercept {

// What a function waits on, as far as its name tells.
enum class Family : uint8_t {
  kNone,
  kEvents,
  kSleep,
  kFile,
  kSocket,
  kDns,  // hosts, users and whatever else may be looked up over the network
  kProcess,
  kLock,
  kWait,    // for another thread
  kIpc,     // for another process
  kSignal,  // for a signal
  kSystemCall,
};

// 0 is "in no call"; the others are the table's lines, in its order.
enum class Function : uint32_t {
  kNone,
#define EACH(name, family, roles, is_open_ended) name,
#include "instrument/contract/each_intercept.inc"
#undef EACH
  kCount,
};

struct FunctionFacts {
  const char* name;
  Family family;
  const char* roles;        // see intercept_table.inc
  bool open_ended = false;  // a JUMP line
};

inline constexpr FunctionFacts kFunctions[] = {
    {"", Family::kNone, "", false},
#define EACH(name, family, roles, is_open_ended) {#name, Family::family, roles, is_open_ended},
#include "instrument/contract/each_intercept.inc"
#undef EACH
};

inline constexpr uint32_t kFunctionCount = static_cast<uint32_t>(Function::kCount);
static_assert(sizeof(kFunctions) / sizeof(kFunctions[0]) == kFunctionCount);

}  // namespace tailback::intercept
