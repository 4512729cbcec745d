// ending_loops KIND: programs that leave their event loop, with its epoll open, and go on. What
// they do then is no callback's; what their last callbacks do is.
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <thread>

#include "tests/integration/targets/loops/iterations.h"

namespace {

using loops::hold_the_loop_up;
using loops::sleep_ms;

constexpr int kIterations = 60;
volatile int stop_at = kIterations;

// Keeps what is called last in a function from taking the function's place on the stack.
inline void end_of_function() {
  asm volatile("");
}

int new_epoll() {
  return epoll_create1(EPOLL_CLOEXEC);
}

[[gnu::always_inline]] inline void wait_for_events(int epoll) {
  epoll_event event{};
  epoll_wait(epoll, &event, 1, 3);
}

[[gnu::noinline]] void pump(int epoll) {
  wait_for_events(epoll);
  end_of_function();
}

// Callbacks that are called at some depth; the one of the last iteration holds the loop up.
[[gnu::noinline]] void handle(bool last) {
  if (last) hold_the_loop_up();
  end_of_function();
}
[[gnu::noinline]] void dispatch(bool last) {
  handle(last);
  end_of_function();
}

[[gnu::noinline]] void run_loop(int epoll) {
  for (int i = 0; i < stop_at; ++i) wait_for_events(epoll);
  end_of_function();
}
[[gnu::noinline]] void run_loop_with_callbacks(int epoll) {
  for (int i = 1; i <= stop_at; ++i) {
    wait_for_events(epoll);
    dispatch(i == stop_at);
  }
  end_of_function();
}

void work_after_the_loop(int) {
  const int epoll = new_epoll();
  for (int i = 0; i < stop_at; ++i) wait_for_events(epoll);
  sleep_ms(400);
  end_of_function();
}

void work_after_run_loop(int) {
  run_loop(new_epoll());
  sleep_ms(400);
  end_of_function();
}

// For so long that a stall would be told while it goes on.
void long_work_after_run_loop(int) {
  run_loop(new_epoll());
  sleep_ms(2500);
  end_of_function();
}

[[gnu::noinline]] void wait_deeper(int epoll, int length) {
  epoll_event event{};
  epoll_wait(epoll, &event, 1, length);
  end_of_function();
}
// Its last wait is one that lasts.
[[gnu::noinline]] void run_deeper_loop(int epoll) {
  for (int i = 1; i <= stop_at; ++i) wait_deeper(epoll, i == stop_at ? 300 : 3);
  end_of_function();
}

[[gnu::noinline]] void save_files() {
  for (int i = 0; i < 30 + stop_at - kIterations; ++i) sleep_ms(20);
  end_of_function();
}

void files_saved_after_run_loop(int) {
  run_deeper_loop(new_epoll());
  save_files();
  end_of_function();
}

void files_saved_in_place(int) {
  run_deeper_loop(new_epoll());
  for (int i = 0; i < 30 + stop_at - kIterations; ++i) sleep_ms(20);
}

void computing_after_run_loop(int) {
  run_loop(new_epoll());
  const double end = loops::now_ms() + 400;
  while (loops::now_ms() < end) {
  }
}

[[gnu::noinline]] void poll_for_a_while() {
  for (int i = 0; i < stop_at; ++i) poll(nullptr, 0, 3);
  end_of_function();
}

void poll_loop_that_starts_again(int) {
  poll_for_a_while();
  sleep_ms(400);
  poll_for_a_while();
  end_of_function();
}

void inlined_loop(int) {
  const int epoll = new_epoll();
  for (int i = 1; i <= stop_at; ++i) {
    wait_for_events(epoll);
    dispatch(i == stop_at);
  }
}

void loop_in_a_function(int) {
  run_loop_with_callbacks(new_epoll());
  end_of_function();
}

[[gnu::noinline]] bool iteration(int epoll) {
  static int iterations = 0;
  wait_for_events(epoll);
  const bool last = ++iterations == stop_at;
  dispatch(last);
  return !last;
}

// What an iteration does is nowhere repeated but here.
void loop_around_iterations(int) {
  const int epoll = new_epoll();
  while (iteration(epoll)) {
  }
}

void loop_around_waits(int) {
  const int epoll = new_epoll();
  for (int i = 1; i <= stop_at; ++i) {
    pump(epoll);
    dispatch(i == stop_at);
  }
}

[[gnu::noinline]] void poll_with_callbacks() {
  for (int i = 1; i <= stop_at; ++i) {
    poll(nullptr, 0, 3);
    dispatch(i == stop_at);
  }
  end_of_function();
}

void poll_loop(int) {
  poll_with_callbacks();
  end_of_function();
}

// The second loop waits where the first did, and is held up before anybody has seen it wait.
void another_loops_first_iteration(int) {
  const int epoll = new_epoll();
  for (int i = 0; i < stop_at; ++i) pump(epoll);
  for (int i = 0; i < stop_at; ++i) {
    pump(epoll);
    dispatch(i == 0);
  }
}

void exit_from_the_callback(int) {
  const int epoll = new_epoll();
  for (int i = 1;; ++i) {
    wait_for_events(epoll);
    dispatch(i == stop_at);
    if (i == stop_at) exit(0);
  }
}

void last_iteration_and_exit_handlers(int) {
  atexit([] { sleep_ms(600); });
  exit_from_the_callback(0);
}

// Healthy to their end, which takes long.
void slow_exit_handler(int) {
  atexit([] { sleep_ms(400); });
  const int epoll = new_epoll();
  for (int i = 0; i < stop_at; ++i) wait_for_events(epoll);
}

void exit_handler_that_joins(int) {
  static std::thread worker([] { sleep_ms(3000); });
  atexit([] { worker.join(); });
  const int epoll = new_epoll();
  for (int i = 0; i < stop_at; ++i) wait_for_events(epoll);
}

void last_iteration_and_work(int) {
  run_loop_with_callbacks(new_epoll());
  sleep_ms(600);
  end_of_function();
}

}  // namespace

int main(int argc, char** argv) {
  return loops::run_kind({{"work after the loop", work_after_the_loop},
                          {"work after run_loop", work_after_run_loop},
                          {"long work after run_loop", long_work_after_run_loop},
                          {"files saved after run_loop", files_saved_after_run_loop},
                          {"files saved in place", files_saved_in_place},
                          {"computing after run_loop", computing_after_run_loop},
                          {"poll loop that starts again", poll_loop_that_starts_again},
                          {"inlined loop", inlined_loop},
                          {"loop in a function", loop_in_a_function},
                          {"loop around iterations", loop_around_iterations},
                          {"loop around waits", loop_around_waits},
                          {"poll loop", poll_loop},
                          {"another loop's first iteration", another_loops_first_iteration},
                          {"exit from the callback", exit_from_the_callback},
                          {"last iteration and exit handlers", last_iteration_and_exit_handlers},
                          {"slow exit handler", slow_exit_handler},
                          {"exit handler that joins", exit_handler_that_joins},
                          {"last iteration and work", last_iteration_and_work}},
                         argc, argv);
}
