#include "runtime/command/status_signal.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace tailback {
namespace {

sigset_t status_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  return signals;
}

}  // namespace

StatusSignal::StatusSignal(std::function<void()> asked) : asked_(std::move(asked)) {
  const sigset_t signals = status_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // One that is ignored would not be waited for either.
  signal(SIGUSR1, SIG_DFL);
  thread_ = std::thread([this] { run(); });
}

StatusSignal::~StatusSignal() {
  stopping_.store(true);
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

void StatusSignal::run() {
  const sigset_t signals = status_signals();
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (stopping_.load()) return;
    asked_();
  }
}

}  // namespace tailback
