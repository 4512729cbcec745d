// How a recording names what was asked.
#pragma once

#include <string>
#include <string_view>

#include "runtime/explain/call_description.h"
#include "runtime/observations/function_names.h"

namespace tailback {

template <typename... Arguments>
std::string question(std::string_view what, Arguments... arguments) {
  std::string text(what);
  ((text += ' ' + std::to_string(arguments)), ...);
  return text;
}

inline std::string call_question(std::string_view what, int pid, const CallInProgress& call) {
  std::string text = question(what, pid);
  text += ' ' + name_of_function(static_cast<uint32_t>(call.function));
  for (const uint64_t argument : call.arguments) text += ' ' + std::to_string(argument);
  return text;
}

}  // namespace tailback
