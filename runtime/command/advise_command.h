// `tailback advise`: runs a command as `tailback run` does, and tells at its end what slows it down
// and which kind of concurrency fits, in place of each stall.
#pragma once

#include <string>
#include <vector>

#include "runtime/command/options.h"

namespace tailback {

// As run_command().
[[noreturn]] void advise_command(const ObserverOptions& options,
                                 const std::vector<std::string>& command);

}  // namespace tailback
