// Signal handlers that make the very calls that they interrupt.
#include <poll.h>

#include "program.h"

using namespace hostile;

namespace {

Pipe private_pipe;  // the handler's own
Pipe shared;        // what the program waits for
std::atomic<int> handled{0};
std::atomic<int> byte_after{0};
bool handler_failed = false;

// Failed for another reason than that the next signal came in the middle of it.
bool fails(long result, long wanted) {
  return result != wanted && !(result == -1 && errno == EINTR);
}

void on_alarm(int) {
  const int error = errno;
  char byte = 'h';
  const timespec moment = {0, 200000};
  epoll_event event;
  static const int epoll = epoll_create1(EPOLL_CLOEXEC);
  handler_failed |= write(private_pipe.in(), &byte, 1) != 1;
  handler_failed |= fails(nanosleep(&moment, nullptr), 0);
  handler_failed |= fails(poll(nullptr, 0, 1), 0);
  handler_failed |= fails(epoll_wait(epoll, &event, 1, 0), 0);
  handler_failed |= read(private_pipe.out(), &byte, 1) != 1 || byte != 'h';
  if (++handled == byte_after) (void)!write(shared.in(), "m", 1);
  errno = error;
}

// Waits for a byte that the third handler run sends.
void wait_in_read(int flags) {
  handle(SIGALRM, on_alarm, flags);
  handled = 0;
  byte_after = 3;
  alarm_every_ms(6);
  char byte = '?';
  int interruptions = 0;
  ssize_t n;
  while ((n = read(shared.out(), &byte, 1)) < 0 && errno == EINTR) ++interruptions;
  alarm_every_ms(0);
  const bool restarts = flags & SA_RESTART;
  say("read %zd '%c'\n", n, byte);
  verdict("read was interrupted as asked", restarts ? interruptions == 0 : interruptions >= 1);
  verdict("handlers ran", handled >= 3);
}

void wait_in_sleep(int flags) {
  handle(SIGALRM, on_alarm, flags);
  handled = 0;
  byte_after = -1;
  alarm_every_ms(6);
  timespec left = in_ms(60);
  const int64_t begin = now_ns();
  int interruptions = 0;
  while (nanosleep(&left, &left) != 0 && errno == EINTR) ++interruptions;
  const int64_t length = now_ns() - begin;
  alarm_every_ms(0);
  verdict("sleep was interrupted", interruptions >= 3);
  verdict("sleep lasted", length >= 60000000);
}

}  // namespace

int main() {
  for (const int flags : {0, SA_RESTART, SA_NODEFER, SA_RESTART | SA_NODEFER}) {
    wait_in_read(flags);
    wait_in_sleep(flags);
  }
  // Handlers in a loop that burns CPU, as the observer holds it.
  Loop loop;
  loop.warm_up();
  handled = 0;
  alarm_every_ms(7);
  loop.run(4, [](int) { burn_ms(60); });
  alarm_every_ms(0);
  verdict("handlers ran", handled > 5);
  verdict("no handler failed", !handler_failed);
  say("done\n");
}
