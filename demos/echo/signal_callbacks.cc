// Callbacks that wait for a signal.

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "demos/echo/callbacks.h"
#include "demos/echo/later.h"

namespace tailback::demo {
namespace {

constexpr int kSignal = SIGUSR1;

// The signal comes to the loop's thread after a while.
class Alarm {
 public:
  explicit Alarm(Milliseconds delay)
      : later_(delay, [thread = pthread_self()] { pthread_kill(thread, kSignal); }) {}

 private:
  Later later_;
};

// Blocks the signal, or lets a handler that does nothing have it.
class Reception {
 public:
  explicit Reception(int how) {
    struct sigaction ignore_it {};
    ignore_it.sa_handler = [](int) {};
    sigaction(kSignal, &ignore_it, &action_);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, kSignal);
    pthread_sigmask(how, &set, &mask_);
  }
  ~Reception() {
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
    sigaction(kSignal, &action_, nullptr);
  }
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  // With the signal let in.
  sigset_t open_mask() const {
    sigset_t mask = mask_;
    sigdelset(&mask, kSignal);
    return mask;
  }

 private:
  struct sigaction action_ {};
  sigset_t mask_{};
};

sigset_t awaited() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, kSignal);
  return set;
}

void block_in_sigwait(Milliseconds length) {
  const Reception blocked(SIG_BLOCK);
  const Alarm alarm(length);
  const sigset_t set = awaited();
  int signal = 0;
  // EXPECT stall on="signal sigwait" cause=wait call=sigwait function=block_in_sigwait
  sigwait(&set, &signal);
}

void block_in_sigtimedwait(Milliseconds length) {
  const Reception blocked(SIG_BLOCK);
  const sigset_t set = awaited();
  const timespec timeout = to_timespec(length);
  // EXPECT stall on="signal sigtimedwait" cause=wait call=sigtimedwait
  // function=block_in_sigtimedwait
  sigtimedwait(&set, nullptr, &timeout);
}

void block_in_sigsuspend(Milliseconds length) {
  const Reception blocked(SIG_BLOCK);
  const Alarm alarm(length);
  const sigset_t mask = blocked.open_mask();
  // EXPECT stall on="signal sigsuspend" cause=wait call=sigsuspend function=block_in_sigsuspend
  sigsuspend(&mask);
}

void block_in_pause(Milliseconds length) {
  const Reception handled(SIG_UNBLOCK);
  const Alarm alarm(length);
  // EXPECT stall on="signal pause" cause=wait call=pause function=block_in_pause
  pause();
}

constexpr Callback kCallbacks[] = {
    {"signal", "sigwait", block_in_sigwait},
    {"signal", "sigtimedwait", block_in_sigtimedwait},
    {"signal", "sigsuspend", block_in_sigsuspend},
    {"signal", "pause", block_in_pause},
};

}  // namespace

std::span<const Callback> signal_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
