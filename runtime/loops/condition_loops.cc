#include "runtime/loops/condition_loops.h"

#include <algorithm>
#include <string_view>

#include "runtime/values/frame.h"

namespace tailback {

bool may_have_condition_loop(const ModuleMap& modules) {
  return std::any_of(modules.mappings().begin(), modules.mappings().end(), [](const Mapping& one) {
    const std::string_view name = file_name(one.path);
    return one.executable && (name.starts_with("libtcl") || name.starts_with("tclsh") ||
                              name.starts_with("wish") || name == "later.so");
  });
}

}  // namespace tailback
