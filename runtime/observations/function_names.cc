#include "runtime/observations/function_names.h"

#include <map>

#include "instrument/contract/intercepts.h"

namespace tailback {

std::string name_of_function(uint32_t function) {
  if (function == 0 || function >= intercept::kFunctionCount) return {};
  return intercept::kFunctions[function].name;
}

uint32_t function_named(const std::string& name) {
  static const std::map<std::string, uint32_t> numbers = [] {
    std::map<std::string, uint32_t> all;
    for (uint32_t i = 1; i < intercept::kFunctionCount; ++i) {
      all.emplace(intercept::kFunctions[i].name, i);
    }
    return all;
  }();
  const auto known = numbers.find(name);
  return known == numbers.end() ? 0 : known->second;
}

}  // namespace tailback
