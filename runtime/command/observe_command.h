// `tailback observe`: the observer of a bare preload. The recorder executes it; people don't.
#pragma once

#include <string>

#include "runtime/command/options.h"

namespace tailback {

// Observes the session whose segment is at `path` until all its processes have ended. Throws if the
// session or a report's file can't be opened.
void observe_command(const ObserverOptions& options, const std::string& path);

}  // namespace tailback
