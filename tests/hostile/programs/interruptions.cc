// EINTR where it belongs, and nowhere else: a periodic signal interrupts each wait once, with
// SA_RESTART only those waits that the kernel never restarts.
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "program.h"

using namespace hostile;

namespace {

std::atomic<int> alarms{0};
std::atomic<int> answer_at{0};
Pipe answered;
int sockets[2];
sem_t semaphore;

void on_alarm(int) {
  if (++alarms == answer_at) {
    const int error = errno;
    (void)!write(answered.in(), "a", 1);
    (void)!write(sockets[1], "a", 1);
    sem_post(&semaphore);
    errno = error;
  }
}

int wait_nanosleep() {
  const timespec time = {100, 0};
  timespec left = {-1, -1};
  const int result = nanosleep(&time, &left);
  verdict("  time is left", result == 0 || (left.tv_sec <= 99 && left.tv_sec >= 80));
  return result;
}
int wait_clock_nanosleep() {
  const timespec deadline = deadline_in_ms(CLOCK_MONOTONIC, 100000);
  const int error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr);
  errno = error;
  return error ? -1 : 0;
}
int wait_sleep() {
  const unsigned left = sleep(100);
  errno = left ? EINTR : 0;
  return left >= 80 && left <= 100 ? -1 : 0;
}
int wait_usleep() {
  return usleep(100000000);
}
int wait_poll() {
  return poll(nullptr, 0, 100000);
}
int wait_ppoll() {
  const timespec time = {100, 0};
  return ppoll(nullptr, 0, &time, nullptr);
}
int wait_epoll() {
  static const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event;
  return epoll_wait(epoll, &event, 1, 100000);
}
int wait_select() {
  timeval time = {100, 0};
  return select(0, nullptr, nullptr, nullptr, &time);
}
int wait_pselect() {
  const timespec time = {100, 0};
  return pselect(0, nullptr, nullptr, nullptr, &time, nullptr);
}
int wait_read() {
  char byte;
  return static_cast<int>(read(answered.out(), &byte, 1));
}
int wait_recv() {
  char byte;
  return static_cast<int>(recv(sockets[0], &byte, 1, 0));
}
int wait_recv_timeout() {
  const timeval time = {100, 0};
  const timeval none = {0, 0};
  setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  const int result = wait_recv();
  const int error = errno;
  setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
  errno = error;
  return result;
}
int wait_sem() {
  return sem_wait(&semaphore);
}
int wait_sem_timed() {
  const timespec deadline = deadline_in_ms(CLOCK_REALTIME, 100000);
  return sem_timedwait(&semaphore, &deadline);
}
int wait_accept() {
  static const int listener = [] {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    listen(fd, 1);
    const timeval time = {100, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    return fd;
  }();
  return accept(listener, nullptr, nullptr);
}

struct Wait {
  const char* name;
  int (*wait)();
  bool restarts;  // under SA_RESTART
};
constexpr Wait kWaits[] = {
    {"nanosleep", wait_nanosleep, false},
    {"clock_nanosleep", wait_clock_nanosleep, false},
    {"sleep", wait_sleep, false},
    {"usleep", wait_usleep, false},
    {"poll", wait_poll, false},
    {"ppoll", wait_ppoll, false},
    {"epoll_wait", wait_epoll, false},
    {"select", wait_select, false},
    {"pselect", wait_pselect, false},
    {"recv with a timeout", wait_recv_timeout, false},
    {"accept with a timeout", wait_accept, false},
    {"read", wait_read, true},
    {"recv", wait_recv, true},
    {"sem_wait", wait_sem, true},
    {"sem_timedwait", wait_sem_timed, false},
};

void drain() {
  char byte;
  while (poll(nullptr, 0, 0) < 0) {
  }
  pollfd ready[] = {{answered.out(), POLLIN, 0}, {sockets[0], POLLIN, 0}};
  poll(ready, 2, 0);
  if (ready[0].revents & POLLIN) (void)!read(answered.out(), &byte, 1);
  if (ready[1].revents & POLLIN) (void)!read(sockets[0], &byte, 1);
  while (sem_trywait(&semaphore) == 0) {
  }
}

void interrupt(const Wait& wait, bool restart) {
  handle(SIGALRM, on_alarm, restart ? SA_RESTART : 0);
  const bool ends_by_itself = restart && wait.restarts;
  alarms = 0;
  answer_at = ends_by_itself ? 4 : -1;
  alarm_every_ms(5);
  errno = 0;
  const int result = wait.wait();
  const int error = errno;
  alarm_every_ms(0);
  say("%s %s = %d, errno %d\n", wait.name, restart ? "restarting" : "interrupted",
      result > 0 ? 1 : result, result < 0 ? error : 0);
  answer_at = -1;
  drain();
}

}  // namespace

int main() {
  socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
  sem_init(&semaphore, 0, 0);
  for (const bool restart : {false, true}) {
    for (const Wait& wait : kWaits) interrupt(wait, restart);
  }
  // From callbacks that keep the CPU long enough to be held.
  Loop loop;
  loop.warm_up();
  loop.run(5, [](int i) {
    burn_ms(30);
    interrupt(kWaits[i], false);
  });
  say("done\n");
}
