// The signals that the launcher takes for the command.
#pragma once

#include <signal.h>

namespace tailback {

// While it lives, signals meant for the command are blocked in the calling thread (and in the
// threads that it creates), to be taken with sigwaitinfo(2). Make it before any thread exists.
class SignalScope {
 public:
  SignalScope();
  ~SignalScope();
  SignalScope(const SignalScope&) = delete;
  SignalScope& operator=(const SignalScope&) = delete;

  // SIGCHLD, and all that Child passes on.
  const sigset_t& taken() const { return taken_; }

  // Gives mask and dispositions back as tailback was started with them. For a forked child just
  // before it executes the command.
  void restore() const;

 private:
  sigset_t taken_;
  sigset_t original_mask_;
  struct sigaction original_child_;
  struct sigaction original_pipe_;
};

}  // namespace tailback
