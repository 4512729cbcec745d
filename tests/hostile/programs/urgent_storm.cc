// A thread that is sent SIGURG without end. The program leaves the signal at its default, to be
// ignored: no wait may be interrupted or shortened by it. (The recorder has a handler for it.)
// Waits end by their timeouts, and by SIGALRM when it comes.
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include "program.h"

using namespace hostile;

namespace {

std::atomic<bool> over{false};
pthread_t victim;
sem_t semaphore;
int epoll = -1;

void* storm(void*) {
  while (!over) {
    pthread_kill(victim, SIGURG);
    const timespec pause = {0, 300000};
    nanosleep(&pause, nullptr);
  }
  return nullptr;
}

// Each waits for `ms` and gives 0 if nothing but the time ended it.
int by_nanosleep(long ms) {
  const timespec time = in_ms(ms);
  return nanosleep(&time, nullptr);
}
int by_clock_nanosleep(long ms) {
  const timespec time = in_ms(ms);
  return clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}
int by_deadline(long ms) {
  const timespec time = deadline_in_ms(CLOCK_MONOTONIC, ms);
  return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}
int by_usleep(long ms) {
  return usleep(static_cast<useconds_t>(ms * 1000));
}
int by_poll(long ms) {
  return poll(nullptr, 0, static_cast<int>(ms));
}
int by_ppoll(long ms) {
  const timespec time = in_ms(ms);
  return ppoll(nullptr, 0, &time, nullptr);
}
int by_epoll(long ms) {
  epoll_event event;
  return epoll_wait(epoll, &event, 1, static_cast<int>(ms));
}
int by_epoll_pwait(long ms) {
  epoll_event event;
  return epoll_pwait(epoll, &event, 1, static_cast<int>(ms), nullptr);
}
int by_epoll_pwait2(long ms) {
  epoll_event event;
  const timespec time = in_ms(ms);
  return epoll_pwait2(epoll, &event, 1, &time, nullptr);
}
int by_select(long ms) {
  timeval time = {ms / 1000, ms % 1000 * 1000};
  return select(0, nullptr, nullptr, nullptr, &time);
}
int by_pselect(long ms) {
  const timespec time = in_ms(ms);
  return pselect(0, nullptr, nullptr, nullptr, &time, nullptr);
}
int by_sem(long ms) {
  const timespec time = deadline_in_ms(CLOCK_REALTIME, ms);
  return sem_timedwait(&semaphore, &time) == -1 && errno == ETIMEDOUT ? 0 : -1;
}
int by_futex(long ms) {
  const timespec deadline = deadline_in_ms(CLOCK_MONOTONIC, ms);
  uint32_t word = 0;
  const long result = syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &deadline, nullptr,
                              FUTEX_BITSET_MATCH_ANY);
  return result == -1 && errno == ETIMEDOUT ? 0 : -1;
}

struct Wait {
  const char* name;
  int (*wait)(long ms);
};
constexpr Wait kWaits[] = {
    {"nanosleep", by_nanosleep},
    {"clock_nanosleep", by_clock_nanosleep},
    {"clock_nanosleep to a deadline", by_deadline},
    {"usleep", by_usleep},
    {"poll", by_poll},
    {"ppoll", by_ppoll},
    {"epoll_wait", by_epoll},
    {"epoll_pwait", by_epoll_pwait},
    {"epoll_pwait2", by_epoll_pwait2},
    {"select", by_select},
    {"pselect", by_pselect},
    {"sem_timedwait", by_sem},
    {"futex", by_futex},
};

void on_alarm(int) {}

}  // namespace

int main() {
  victim = pthread_self();
  sem_init(&semaphore, 0, 0);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  pthread_t thread;
  pthread_create(&thread, nullptr, storm, nullptr);
  for (const Wait& wait : kWaits) {
    bool interrupted = false;
    bool early = false;
    for (int i = 0; i < 5; ++i) {
      constexpr long kMs = 4;
      const int64_t begin = now_ns();
      interrupted |= wait.wait(kMs) != 0;
      early |= now_ns() - begin < kMs * 1000000 - 50000;
    }
    say("%s: ", wait.name);
    verdict("undisturbed", !interrupted && !early);
  }
  // A signal that the program does handle still ends each of them, long before their time.
  handle(SIGALRM, on_alarm, 0);
  for (const Wait& wait : kWaits) {
    const int64_t begin = now_ns();
    alarm_every_ms(10);
    const int result = wait.wait(60000);
    alarm_every_ms(0);
    say("%s: ", wait.name);
    verdict("ended by the alarm", result != 0 && now_ns() - begin < 20000000000);
  }
  const int64_t begin = now_ns();
  alarm_every_ms(1300);
  const unsigned left = sleep(30);
  alarm_every_ms(0);
  say("sleep: ");
  const int64_t truly_left = 30000000000 - (now_ns() - begin);
  verdict("tells what is left",
          left * 1000000000l <= truly_left + 1000000000 && (left + 2) * 1000000000l > truly_left);
  over = true;
  pthread_join(thread, nullptr);
  say("done\n");
}
