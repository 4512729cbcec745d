// `tailback run`: starts a command as the first target of a session, and ends as it ends.
#pragma once

#include <string>
#include <vector>

#include "runtime/command/options.h"

namespace tailback {

// `command` has at least its name. Throws LaunchError if it can't be run and observed.
[[noreturn]] void run_command(const ObserverOptions& options,
                              const std::vector<std::string>& command);

}  // namespace tailback
