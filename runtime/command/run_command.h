// `tailback run`: starts a command as the first target of a session, and ends as it ends.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/command/options.h"
#include "runtime/report/reporter.h"
#include "runtime/segment/session.h"

namespace tailback {

// Makes what is told of the session, in the observer's process. The session outlives it.
using MakeReporter =
    std::function<std::unique_ptr<Reporter>(const ObserverOptions& options, Session& session)>;

// `command` has at least its name. Throws LaunchError if it can't be run and observed.
[[noreturn]] void run_command(const ObserverOptions& options,
                              const std::vector<std::string>& command);
// The same with reports of another kind.
[[noreturn]] void run_command(const ObserverOptions& options,
                              const std::vector<std::string>& command, const MakeReporter& make);

}  // namespace tailback
