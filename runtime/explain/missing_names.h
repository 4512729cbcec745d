// Why functions of a stack have no names, where there is something to be said or done about it.
#pragma once

#include <string>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/values/frame.h"

namespace tailback {

// One sentence, with the cure; empty if there is nothing to say. Java tells the names of the
// methods that it has compiled when it is asked to; of those that it interprets, none.
// `map_is_cut`: the process has a perf map that is too long to be read to its end.
std::string why_names_are_missing(int pid, const std::vector<Frame>& stack, bool stack_complete,
                                  const ModuleMap& modules, bool map_is_cut);

}  // namespace tailback
