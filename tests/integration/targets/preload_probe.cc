// Says what a program can see of a recorder that was preloaded into it, then holds its loop up
// once, for 300 ms ("blocked MILLISECONDS"), and ends with status 7.

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <initializer_list>

namespace {

volatile sig_atomic_t children_ended = 0;

void count_child(int) {
  children_ended = children_ended + 1;
}

// Those above standard error, without the one that lists them.
int open_descriptors() {
  DIR* directory = opendir("/proc/self/fd");
  int count = -1;
  while (readdir(directory) != nullptr) {
    ++count;
  }
  closedir(directory);
  return count - 2 - 3;  // "." and "..", and the standard three
}

int running_threads() {
  DIR* directory = opendir("/proc/self/task");
  int count = -2;
  while (readdir(directory) != nullptr) {
    ++count;
  }
  closedir(directory);
  return count;
}

void iteration(int epoll, int timer) {
  itimerspec soon{};
  soon.it_value.tv_nsec = 20'000'000;
  timerfd_settime(timer, 0, &soon, nullptr);
  epoll_event event{};
  epoll_wait(epoll, &event, 1, -1);
}

double now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

void block() {
  const double begin = now_ms();
  const timespec duration{0, 300'000'000};
  nanosleep(&duration, nullptr);
  printf("blocked %.3f\n", now_ms() - begin);
  fflush(stdout);
}

}  // namespace

int main() {
  signal(SIGCHLD, count_child);
  printf("pid %d\n", getpid());
  printf("parent %d\n", getppid());
  printf("descriptors %d\n", open_descriptors());
  printf("threads %d\n", running_threads());
  fflush(stdout);

  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
  for (const bool blocks : {false, false, false, true, false, false}) {
    iteration(epoll, timer);
    if (blocks) {
      block();
    }
  }

  printf("sigchld %d\n", static_cast<int>(children_ended));
  printf("child %d\n", static_cast<int>(waitpid(-1, nullptr, WNOHANG)));
  return 7;
}
