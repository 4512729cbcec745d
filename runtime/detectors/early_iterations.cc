#include "runtime/detectors/early_iterations.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "runtime/values/frame.h"

namespace tailback {

namespace {

bool runs_interpreter(const ModuleMap& modules) {
  constexpr std::string_view kPrograms[] = {"python",  "libpython", "perl",   "libperl",  "ruby",
                                            "libruby", "lua",       "liblua", "php",      "libphp",
                                            "libR.so", "node",      "guile",  "libguile", "tclsh",
                                            "libtcl",  "wish",      "racket"};
  return std::any_of(modules.mappings().begin(), modules.mappings().end(), [&](const Mapping& one) {
    const std::string_view name = file_name(one.path);
    return one.executable &&
           std::any_of(std::begin(kPrograms), std::end(kPrograms),
                       [&](std::string_view begin) { return name.starts_with(begin); });
  });
}

}  // namespace

void EarlyIterations::keep(uint64_t key, uint64_t stack_pointer, StallSeen stall) {
  constexpr size_t kMostKept = 4;
  if (kept_.size() >= kMostKept || !stall.modules || runs_interpreter(*stall.modules)) return;
  kept_.push_back({key, stack_pointer, std::move(stall)});
}

std::vector<StallSeen> EarlyIterations::take(uint64_t key, uint64_t stack_pointer) {
  std::vector<StallSeen> taken;
  std::erase_if(kept_, [&](Kept& one) {
    if (one.key != key) return false;
    if (one.stack_pointer == stack_pointer) taken.push_back(std::move(one.stall));
    return true;
  });
  return taken;
}

}  // namespace tailback
