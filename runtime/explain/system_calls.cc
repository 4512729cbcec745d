#include "runtime/explain/system_calls.h"

#include <fmt/format.h>
#include <sys/syscall.h>

namespace tailback {

namespace {

using intercept::Family;

struct Entry {
  long number;
  const char* name;
  Family family;
  const char* roles;
};

constexpr Entry kEntries[] = {
#define SYSTEM_CALL(name, family, roles) {SYS_##name, #name, Family::family, roles},
#define NEW_SYSTEM_CALL(number, name, family, roles) {number, #name, Family::family, roles},
#include "runtime/explain/system_call_table.inc"
#undef SYSTEM_CALL
#undef NEW_SYSTEM_CALL
};

}  // namespace

SystemCallFacts system_call_facts(long number) {
  for (const Entry& entry : kEntries) {
    if (entry.number == number) return {entry.name, entry.family, entry.roles};
  }
  return {fmt::format("system call {}", number), Family::kNone, ""};
}

std::vector<long> known_system_calls() {
  std::vector<long> numbers;
  for (const Entry& entry : kEntries) numbers.push_back(entry.number);
  return numbers;
}

}  // namespace tailback
