#include "tests/benchmarks/accuracy/target/many_calls.h"

#include <poll.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "demos/echo/callbacks.h"
#include "tests/benchmarks/accuracy/target/event_loop.h"

namespace tailback::accuracy {
namespace {

using std::chrono::microseconds;

// A connection on which nothing comes: recv() gives up after the timeout.
class QuietConnection {
 public:
  QuietConnection() { valid_ = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_) == 0; }
  ~QuietConnection() {
    if (!valid_) return;
    close(ends_[0]);
    close(ends_[1]);
  }
  QuietConnection(const QuietConnection&) = delete;
  QuietConnection& operator=(const QuietConnection&) = delete;

  void receive(microseconds patience) const {
    const timeval timeout{0, patience.count()};
    setsockopt(ends_[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    char byte;
    recv(ends_[0], &byte, 1, 0);
  }

 private:
  int ends_[2] = {-1, -1};
  bool valid_ = false;
};

void wait_for_semaphore(microseconds patience) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  const timespec deadline = demo::deadline_on(CLOCK_REALTIME, patience);
  sem_timedwait(&semaphore, &deadline);
  sem_destroy(&semaphore);
}

// Calls `one` with 2 to 8 ms each, until `length` is over. In at least six pieces, so that none
// stands out.
template <typename Call>
void call_many(Milliseconds length, Call one) {
  thread_local std::minstd_rand random(std::random_device{}());
  const int64_t end = now_ns() + std::chrono::nanoseconds(length).count();
  const auto most = static_cast<unsigned long>(microseconds(length).count() / 6);
  while (now_ns() < end) one(microseconds(std::min<unsigned long>(2000 + random() % 6000, most)));
}

void sleep_often(Milliseconds length) {
  call_many(length, [](microseconds piece) { usleep(static_cast<useconds_t>(piece.count())); });
}

void receive_often(Milliseconds length) {
  const QuietConnection connection;
  call_many(length, [&](microseconds piece) { connection.receive(piece); });
}

void wait_often(Milliseconds length) {
  call_many(length, wait_for_semaphore);
}

// Of all kinds by iterations.
void wait_variously(Milliseconds length) {
  const QuietConnection connection;
  int iteration = 0;
  call_many(length, [&](microseconds piece) {
    switch (iteration++ % 3) {
      case 0:
        usleep(static_cast<useconds_t>(piece.count()));
        break;
      case 1:
        connection.receive(piece);
        break;
      default:
        wait_for_semaphore(piece);
    }
  });
}

constexpr StallKind kKinds[] = {
    {"many", "usleep…", "many", sleep_often},
    {"many", "recv…", "many", receive_often},
    {"many", "sem_timedwait…", "many", wait_often},
    {"many", "usleep, recv, sem_timedwait…", "many", wait_variously},
};

}  // namespace

std::span<const StallKind> many_calls_kinds() {
  return kKinds;
}

}  // namespace tailback::accuracy
