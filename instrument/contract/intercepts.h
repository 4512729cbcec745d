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
  kDns,
  kProcess,
  kLock,
  kWait,
  kSystemCall,
};

// 0 is "in no call"; the others are the table's lines, in its order.
enum class Function : uint32_t {
  kNone,
#define CALL(name, result, parameters, arguments, family, roles) name,
#define TRY(name, result, parameters, arguments, family, roles, attempt) name,
#define OWN(name, family, roles) name,
#include "instrument/contract/intercept_table.inc"
#undef CALL
#undef TRY
#undef OWN
  kCount,
};

struct FunctionFacts {
  const char* name;
  Family family;
  const char* roles;  // see intercept_table.inc
};

inline constexpr FunctionFacts kFunctions[] = {
    {"", Family::kNone, ""},
#define CALL(name, result, parameters, arguments, family, roles) {#name, Family::family, roles},
#define TRY(name, result, parameters, arguments, family, roles, attempt) \
  {#name, Family::family, roles},
#define OWN(name, family, roles) {#name, Family::family, roles},
#include "instrument/contract/intercept_table.inc"
#undef CALL
#undef TRY
#undef OWN
};

inline constexpr uint32_t kFunctionCount = static_cast<uint32_t>(Function::kCount);
static_assert(sizeof(kFunctions) / sizeof(kFunctions[0]) == kFunctionCount);

}  // namespace tailback::intercept
