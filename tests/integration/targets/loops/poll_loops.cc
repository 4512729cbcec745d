// Loops on poll and select, by their functions and by number.
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/integration/targets/loops/iterations.h"

namespace loops {
namespace {

// A loop with one timer; `wait` is how it waits for the timer's descriptor.
template <typename Wait>
void run(int stalls, Wait wait) {
  const int timer = periodic_timer(TFD_NONBLOCK);
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    if (wait(timer) <= 0) continue;
    drain(timer);
    iterations.handle_event();
  }
  close(timer);
}

struct Set {
  explicit Set(int fd) : count(fd + 1) {
    FD_ZERO(&reads);
    FD_SET(fd, &reads);
  }
  int count;
  fd_set reads;
};

void with_poll(int stalls) {
  run(stalls, [](int timer) {
    pollfd entry{timer, POLLIN, 0};
    return poll(&entry, 1, -1);
  });
}
// Burns a CPU for the time of its run.
void busy(int stalls) {
  run(stalls, [](int timer) {
    pollfd entry{timer, POLLIN, 0};
    return poll(&entry, 1, 0);
  });
}
void with_ppoll(int stalls) {
  run(stalls, [](int timer) {
    pollfd entry{timer, POLLIN, 0};
    const timespec patience{1, 0};
    return ppoll(&entry, 1, &patience, nullptr);
  });
}
void with_select(int stalls) {
  run(stalls, [](int timer) {
    Set set(timer);
    timeval patience{1, 0};
    return select(set.count, &set.reads, nullptr, nullptr, &patience);
  });
}
void with_pselect(int stalls) {
  run(stalls, [](int timer) {
    Set set(timer);
    const timespec patience{1, 0};
    return pselect(set.count, &set.reads, nullptr, nullptr, &patience, nullptr);
  });
}
void poll_by_number(int stalls) {
  run(stalls, [](int timer) {
    pollfd entry{timer, POLLIN, 0};
    return syscall(SYS_poll, &entry, 1, -1);
  });
}
void ppoll_by_number(int stalls) {
  run(stalls, [](int timer) {
    pollfd entry{timer, POLLIN, 0};
    timespec patience{1, 0};
    return syscall(SYS_ppoll, &entry, 1, &patience, nullptr, 8);
  });
}
void select_by_number(int stalls) {
  run(stalls, [](int timer) {
    Set set(timer);
    timeval patience{1, 0};
    return syscall(SYS_select, set.count, &set.reads, nullptr, nullptr, &patience);
  });
}
void pselect_by_number(int stalls) {
  run(stalls, [](int timer) {
    Set set(timer);
    timespec patience{1, 0};
    return syscall(SYS_pselect6, set.count, &set.reads, nullptr, nullptr, &patience, nullptr);
  });
}

}  // namespace

std::vector<Kind> poll_loops() {
  return {{"poll", with_poll},
          {"poll busy", busy},
          {"ppoll", with_ppoll},
          {"select", with_select},
          {"pselect", with_pselect},
          {"poll by number", poll_by_number},
          {"ppoll by number", ppoll_by_number},
          {"select by number", select_by_number},
          {"pselect by number", pselect_by_number}};
}

}  // namespace loops
