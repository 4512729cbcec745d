// The annotation header's classes, in a program that is not position-independent: a poll loop whose
// iterations are mostly long, one of them with a scope that is allowed to block; and a thread that
// is no loop. "blocked PID MILLISECONDS" for what is to be reported.

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "instrument/annotations/tailback.h"

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

void block(milliseconds length) {
  const Clock::time_point begin = Clock::now();
  std::this_thread::sleep_for(length);
  const std::chrono::duration<double, std::milli> taken = Clock::now() - begin;
  printf("blocked %d %.3f\n", getpid(), taken.count());
}

void throw_in_scope() {
  const tailback::AllowBlocking allowed;
  std::this_thread::sleep_for(milliseconds(150));
  throw std::runtime_error("left");
}

void job(int number) {
  if (number == 0) {
    try {
      throw_in_scope();
    } catch (const std::runtime_error&) {
    }
    block(milliseconds(150));
  } else if (number == 1) {
    tailback_iteration_name("second job");
    block(milliseconds(200));
  } else {
    const tailback::AllowBlocking allowed;
    std::this_thread::sleep_for(milliseconds(150));
  }
}

void run_jobs() {
  tailback_loop_thread();
  for (int number = 0; number < 3; ++number) {
    poll(nullptr, 0, 10);
    job(number);
  }
  poll(nullptr, 0, 10);
}

void run_backend() {
  tailback_not_loop_thread();
  for (int i = 0; i < 20; ++i) poll(nullptr, 0, 1);
  std::this_thread::sleep_for(milliseconds(150));
  poll(nullptr, 0, 1);
}

void run_queue() {
  for (int i = 0; i < 4; ++i) {
    {
      const tailback::Wait waits;
      std::this_thread::sleep_for(milliseconds(150));
    }
    if (i == 2) block(milliseconds(250));
  }
}

}  // namespace

int main() {
  std::thread(run_jobs).join();
  std::thread(run_backend).join();
  std::thread(run_queue).join();
  puts("done");
}
