// pause, sigsuspend and their like, ended by the program's own signals and by nothing else: while
// the thread is sampled in between, no wake-up is lost and none is one too many.
#include <poll.h>

#include "program.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

using namespace hostile;

namespace {

constexpr int kRounds = 40;
volatile sig_atomic_t came = 0;
volatile sig_atomic_t last = 0;

void on_signal(int number) {
  came = came + 1;
  last = number;
}

void wait_in_pause() {
  pause();
}
void wait_in_sigsuspend() {
  sigset_t none;
  sigemptyset(&none);
  sigsuspend(&none);
}
void wait_in_ppoll() {
  sigset_t none;
  sigemptyset(&none);
  ppoll(nullptr, 0, nullptr, &none);
}
void wait_in_sigpause() {
  // The X/Open one: takes one signal out of the mask.
  sigpause(SIGUSR1);
}

void send(pthread_t thread, int number) {
  if (number >= SIGRTMIN) {
    sigval value;
    value.sival_int = number;
    pthread_sigqueue(thread, number, value);
  } else {
    pthread_kill(thread, number);
  }
}

struct Sender {
  pthread_t waiter;
  pid_t waiter_id;
  std::atomic<int> asked{0};
  std::atomic<bool> over{false};
};

// Answers every request with one signal, once the waiter sleeps.
void* send_when_asleep(void* argument) {
  auto* sender = static_cast<Sender*>(argument);
  for (;;) {
    int number;
    while ((number = sender->asked.exchange(0)) == 0) {
      if (sender->over) return nullptr;
      usleep(200);
    }
    until_asleep(sender->waiter_id);
    send(sender->waiter, number);
  }
}

// The wait that the signal ends, after a callback that burns CPU right up to it, so that a hold may
// come at any moment.
void in_a_loop(Loop& loop, Sender& sender, const char* name, void (*wait)(), int number) {
  int wakeups = 0;
  int wrong = 0;
  loop.run(4, [&](int) {
    burn_ms(25);
    const int before = came;
    sender.asked = number;
    wait();
    ++wakeups;
    wrong += came != before + 1 || last != number;
  });
  say("%s signal %d: wake-ups %d wrong %d\n", name, number, wakeups, wrong);
}

// Blocked signals that wait already end it at once, each once.
void pending(const char* name, void (*wait)(), const sigset_t& blocked) {
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  came = 0;
  int wakeups = 0;
  for (int i = 0; i < kRounds; ++i) {
    raise(SIGUSR1);
    if (i % 8 == 0) burn_ms(3);
    wait();
    ++wakeups;
  }
  say("%s pending: wake-ups %d signals %d\n", name, wakeups, static_cast<int>(came));
  pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
}

// Every real-time signal that is queued comes, in order, with its value.
volatile sig_atomic_t values = 0;
volatile sig_atomic_t out_of_order = 0;
void on_value(int, siginfo_t* info, void*) {
  if (info->si_value.sival_int != values) out_of_order = out_of_order + 1;
  values = values + 1;
}
void queued() {
  struct sigaction action {};
  action.sa_sigaction = on_value;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGRTMIN + 5, &action, nullptr);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGRTMIN + 5);
  pthread_sigmask(SIG_BLOCK, &one, nullptr);
  for (int i = 0; i < kRounds; ++i) {
    sigval value;
    value.sival_int = i;
    sigqueue(getpid(), SIGRTMIN + 5, value);
  }
  int wakeups = 0;
  while (values < kRounds) {
    wait_in_sigsuspend();
    ++wakeups;
  }
  say("queued: values %d out of order %d wake-ups at most as many %d\n", static_cast<int>(values),
      static_cast<int>(out_of_order), wakeups <= kRounds);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
}

}  // namespace

int main() {
  const int numbers[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGRTMIN, SIGRTMIN + 7, SIGRTMAX};
  for (const int number : numbers) handle(number, on_signal, SA_RESTART);
  Sender sender;
  sender.waiter = pthread_self();
  sender.waiter_id = gettid();
  pthread_t thread;
  pthread_create(&thread, nullptr, send_when_asleep, &sender);
  Loop loop;
  loop.warm_up();
  for (const int number : numbers) {
    in_a_loop(loop, sender, "pause", wait_in_pause, number);
    in_a_loop(loop, sender, "sigsuspend", wait_in_sigsuspend, number);
  }
  in_a_loop(loop, sender, "ppoll", wait_in_ppoll, SIGUSR1);
  in_a_loop(loop, sender, "sigpause", wait_in_sigpause, SIGUSR1);
  sender.over = true;
  pthread_join(thread, nullptr);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  pending("sigsuspend", wait_in_sigsuspend, blocked);
  pending("ppoll", wait_in_ppoll, blocked);
  pending("sigpause", wait_in_sigpause, blocked);
  queued();
  say("done\n");
}
