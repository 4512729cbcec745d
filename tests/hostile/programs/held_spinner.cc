// Burns CPU in the callbacks of a loop while an interval timer of its own runs: what it computes,
// and how often its timer came, are what they are when nobody looks at it. The argument is how many
// callbacks; ten if there is none.
#include "program.h"

using namespace hostile;

namespace {

timer_t timer;
volatile long came = 0;
long lost = 0;
Pipe from_handler;

void on_timer(int, siginfo_t* info, void*) {
  came = came + 1;
  lost += info->si_overrun;
  const int error = errno;
  char byte = 't';
  (void)!write(from_handler.in(), &byte, 1);
  (void)!read(from_handler.out(), &byte, 1);
  errno = error;
}

}  // namespace

int main(int argc, char** argv) {
  struct sigaction action {};
  action.sa_sigaction = on_timer;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  timer_create(CLOCK_MONOTONIC, &event, &timer);

  Loop loop;
  loop.warm_up();
  constexpr long kPeriod = 7000000;
  const itimerspec period = {{0, kPeriod}, {0, kPeriod}};
  const int64_t before = now_ns();
  timer_settime(timer, 0, &period, nullptr);
  const int64_t begun = now_ns();
  uint64_t result = 0;
  errno = 99;
  bool errno_kept = true;
  double floating = 1;
  loop.run(argc > 1 ? atoi(argv[1]) : 10, [&](int i) {
    errno = 99;
    const int64_t end = now_ns() + 300000000;
    uint64_t rounds = 0;
    while (rounds < 200 || now_ns() < end) {
      const uint64_t value = churn(5000 + static_cast<uint64_t>(i));
      if (rounds < 200) {
        result = result * 31 + value;
        floating = floating * 1.0000001 + static_cast<double>(value % 1000);
      }
      ++rounds;
    }
    errno_kept &= errno == 99;
  });
  const int64_t ending = now_ns();
  const itimerspec none{};
  timer_settime(timer, 0, &none, nullptr);
  const long least = (ending - begun) / kPeriod - 1;
  const long most = (now_ns() - before) / kPeriod;
  const long counted = came + lost;
  say("result %lu %.6f\n", static_cast<unsigned long>(result), floating);
  verdict("errno kept", errno_kept);
  verdict("the timer came as often as it should", counted >= least && counted <= most);
  say("done\n");
}
