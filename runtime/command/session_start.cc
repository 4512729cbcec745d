#include "runtime/command/session_start.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace tailback {

SessionStart session_start(const ObserverOptions& options, std::vector<std::string> command,
                           pid_t first_target) {
  SessionStart start;
  start.version = TAILBACK_VERSION;
  start.time = std::chrono::system_clock::now();
  start.command = std::move(command);
  start.pid = first_target;
  start.observer_pid = getpid();
  utsname system{};
  if (uname(&system) == 0) start.host = system.nodename;
  start.threshold = options.threshold;
  return start;
}

ObserverSettings observer_settings(const ObserverOptions& options) {
  ObserverSettings settings;
  settings.threshold = options.threshold;
  if (options.blocking_calls) settings.blocking_calls.slow = options.slow_call;
  settings.loops = {options.loops, options.not_loops};
  settings.blocking_calls.strict = options.strict;
  settings.locks = options.locks;
  settings.record_observations = options.record_observations;
  settings.lock_order = options.lock_order;
  settings.culprits = {options.app_code, options.library_code};
  return settings;
}

}  // namespace tailback
