#include "runtime/launch/signals.h"

#include <array>

namespace tailback {
namespace {

// Not among them: what reports a fault of our own (SIGSEGV, …), what the terminal says to a writer
// in the background (SIGTTIN, SIGTTOU), and what can't be taken.
constexpr std::array kPassedOn = {SIGHUP,  SIGINT,   SIGQUIT, SIGTERM, SIGUSR1,   SIGUSR2, SIGCONT,
                                  SIGTSTP, SIGWINCH, SIGALRM, SIGIO,   SIGVTALRM, SIGURG,  SIGPWR};

}  // namespace

SignalScope::SignalScope() {
  sigemptyset(&taken_);
  sigaddset(&taken_, SIGCHLD);
  for (const int signal : kPassedOn) sigaddset(&taken_, signal);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) sigaddset(&taken_, signal);
  pthread_sigmask(SIG_BLOCK, &taken_, &original_mask_);

  // An ignored SIGCHLD would take the command's exit status away; SIGPIPE is seen as an error.
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &action, &original_child_);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, &original_pipe_);
}

SignalScope::~SignalScope() {
  restore();
}

void SignalScope::restore() const {
  sigaction(SIGCHLD, &original_child_, nullptr);
  sigaction(SIGPIPE, &original_pipe_, nullptr);
  pthread_sigmask(SIG_SETMASK, &original_mask_, nullptr);
}

}  // namespace tailback
