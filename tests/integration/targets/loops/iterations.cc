#include "tests/integration/targets/loops/iterations.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

namespace loops {

void Iterations::handle_event() {
  ++done_;
  constexpr int kApart = 15;
  if (done_ >= warm_up && (done_ - warm_up) % kApart == 0 && stalls_ > 0) {
    --stalls_;
    hold_the_loop_up();
  }
}

[[gnu::noinline]] void hold_the_loop_up() {
  const double begin = now_ms();
  const timespec length{0, 150'000'000};
  // EXPECT stall on="any" cause=sleep call=nanosleep function=hold_the_loop_up
  nanosleep(&length, nullptr);
  printf("blocked %d %.3f\n", getpid(), now_ms() - begin);
  fflush(stdout);
}

int periodic_timer(int flags) {
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | flags);
  itimerspec period{};
  period.it_value.tv_nsec = period.it_interval.tv_nsec = kPeriodMs * 1'000'000;
  if (timerfd_settime(timer, 0, &period, nullptr) != 0) perror("timerfd");
  return timer;
}

void drain(int timer) {
  uint64_t expirations = 0;
  if (read(timer, &expirations, sizeof expirations) < 0) return;
}

double now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

void sleep_ms(int length) {
  const timespec time{length / 1000, length % 1000 * 1'000'000L};
  nanosleep(&time, nullptr);
}

int run_kind(const std::vector<Kind>& kinds, int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  for (const Kind& kind : kinds) {
    if (kind.name != name) continue;
    if (argc > 3) warm_up = atoi(argv[3]);
    kind.run(argc > 2 ? atoi(argv[2]) : 0);
    return 0;
  }
  fprintf(stderr, "there is no kind \"%s\"; there are:\n", name.c_str());
  for (const Kind& kind : kinds) fprintf(stderr, "  %s\n", kind.name.c_str());
  return 2;
}

}  // namespace loops
