#include "runtime/explain/condition_loop.h"

#include <algorithm>
#include <string_view>

namespace tailback {

bool is_condition_loop(const std::vector<Frame>& stack) {
  return std::any_of(stack.begin(), stack.end(), [](const Frame& frame) {
    const std::string_view name = frame.function;
    return name == "Tcl_WaitForEvent" || name.starts_with("CallbackRegistry::wait(");
  });
}

}  // namespace tailback
