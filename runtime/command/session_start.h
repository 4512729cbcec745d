// What a report's first line says of the session.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/command/options.h"
#include "runtime/values/session.h"

namespace tailback {

// For the observer's process, at the time of the call. `command` is empty under a bare preload.
SessionStart session_start(const ObserverOptions& options, std::vector<std::string> command,
                           pid_t first_target);

}  // namespace tailback
