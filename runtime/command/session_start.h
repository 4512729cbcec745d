// What a session begins with: the report's first line, and the observer's settings.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/command/options.h"
#include "runtime/observer/observer.h"
#include "runtime/values/session.h"

namespace tailback {

// For the observer's process, at the time of the call. `command` is empty under a bare preload.
SessionStart session_start(const ObserverOptions& options, std::vector<std::string> command,
                           pid_t first_target);

ObserverSettings observer_settings(const ObserverOptions& options);

}  // namespace tailback
