#include "runtime/launch/outcome.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

namespace tailback {

void end_as(const Outcome& outcome) {
  if (!outcome.signal) std::exit(outcome.exit_status.value_or(EXIT_FAILURE));

  const int signal = *outcome.signal;
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // the limit does not hold for a core_pattern with a pipe
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  sigset_t only_this;
  sigemptyset(&only_this);
  sigaddset(&only_this, signal);
  pthread_sigmask(SIG_UNBLOCK, &only_this, nullptr);
  raise(signal);
  _exit(128 + signal);  // only if the signal does not kill
}

}  // namespace tailback
