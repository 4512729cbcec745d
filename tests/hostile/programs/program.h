// What the hostile programs share. Each of them proves by its output that it was not disturbed: the
// driver compares what it prints, and how it ends, with a run that nobody watches. So whatever is
// printed must be the same in every run, on a busy machine too.
#pragma once

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace hostile {

// Prints at once, to standard output; keeps errno.
inline void say(const char* format, ...) __attribute__((format(printf, 1, 2)));
inline void say(const char* format, ...) {
  const int error = errno;
  char text[512];
  va_list list;
  va_start(list, format);
  const int length = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  for (ssize_t done = 0; done < length;) {
    const ssize_t n = write(STDOUT_FILENO, text + done, static_cast<size_t>(length - done));
    if (n > 0) done += n;
    if (n < 0 && errno != EINTR) break;
  }
  errno = error;
}

// What must be so, watched or not: the driver fails on any "no".
inline void verdict(const char* what, bool good) {
  say("%s: %s\n", what, good ? "yes" : "no");
}

inline int64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

inline timespec in_ms(long ms) {
  return {ms / 1000, ms % 1000 * 1000000};
}

inline timespec deadline_in_ms(clockid_t clock, long ms) {
  timespec time;
  clock_gettime(clock, &time);
  time.tv_nsec += ms % 1000 * 1000000;
  time.tv_sec += ms / 1000 + time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}

// Burns CPU; the result depends on nothing but `rounds`.
inline uint64_t churn(uint64_t rounds) {
  uint64_t value = 88172645463325252u;
  for (uint64_t i = 0; i < rounds; ++i) {
    value ^= value << 13;
    value ^= value >> 7;
    value ^= value << 17;
  }
  return value;
}

// Burns CPU for a time. The observer holds a thread that does so.
inline void burn_ms(long ms) {
  const int64_t end = now_ns() + ms * 1000000;
  volatile uint64_t sink = 0;
  while (now_ns() < end) sink = sink + churn(1000);
}

inline void handle(int number, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(number, &action, nullptr);
}

// SIGALRM every `ms`; 0: no more.
inline void alarm_every_ms(long ms) {
  const itimerval timer = {{ms / 1000, ms % 1000 * 1000}, {ms / 1000, ms % 1000 * 1000}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

struct Pipe {
  int ends[2] = {-1, -1};
  explicit Pipe(int flags = 0) {
    if (pipe2(ends, flags) != 0) abort();
  }
  int out() const { return ends[0]; }
  int in() const { return ends[1]; }
};

// "exit 3", "signal 9".
inline void say_ending(const char* what, int status) {
  if (WIFSIGNALED(status)) {
    say("%s: signal %d\n", what, WTERMSIG(status));
  } else {
    say("%s: exit %d\n", what, WEXITSTATUS(status));
  }
}

inline int wait_for(pid_t pid) {
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// Returns when another thread or child process seems to wait: it was found asleep three times in a
// row. For one whose next step is the wait that is meant.
inline void until_asleep(pid_t thread) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", thread);
  for (int asleep = 0, looks = 0; asleep < 3 && looks < 10000; ++looks) {
    char text[256] = "";
    FILE* file = fopen(path, "re");
    if (!file) return;
    const char* state = fgets(text, sizeof text, file) ? strrchr(text, ')') : nullptr;
    asleep = state && state[2] == 'S' ? asleep + 1 : 0;
    fclose(file);
    usleep(1000);
  }
}

// An event loop of one event: every iteration runs the callback once. Each iteration is one that
// the observer may find too long.
class Loop {
 public:
  Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC)) {
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  }
  ~Loop() {
    close(wake_);
    close(epoll_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  int fd() const { return epoll_; }

  template <typename Callback>
  void run(int iterations, Callback callback) {
    for (int i = 0; i < iterations; ++i) {
      const uint64_t one = 1;
      epoll_event event;
      uint64_t value;
      while (write(wake_, &one, sizeof one) < 0 && errno == EINTR) {
      }
      while (epoll_wait(epoll_, &event, 1, -1) < 0 && errno == EINTR) {
      }
      while (read(wake_, &value, sizeof value) < 0 && errno == EINTR) {
      }
      callback(i);
    }
    // The last iteration ends here too: else it is seen only by looks that come before the
    // program's end.
    epoll_event none;
    (void)!epoll_wait(epoll_, &none, 1, 0);
  }
  // Iterations that make the observer see a loop in this thread, before one that is worth a look.
  void warm_up() {
    run(20, [](int) {});
  }

 private:
  int epoll_;
  int wake_;
};

}  // namespace hostile
