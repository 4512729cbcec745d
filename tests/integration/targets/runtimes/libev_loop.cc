// libev: a repeating timer and two sockets.

#include <ev.h>
#include <time.h>

#include "tests/integration/targets/runtimes/scenario.h"

namespace {

Scenario* scenario;
Echo* echo;

[[gnu::noinline]] void block_in_callback() {
  const Blocked blocked;
  timespec length{};
  length.tv_nsec = std::chrono::nanoseconds(Scenario::kStall).count();
  // EXPECT stall on="stalls" cause=sleep call=nanosleep function=block_in_callback
  nanosleep(&length, nullptr);
}

void on_tick(struct ev_loop* loop, ev_timer*, int) {
  if (scenario->is_over()) {
    ev_break(loop, EVBREAK_ALL);
    return;
  }
  echo->ask();
  if (scenario->stalls_now()) block_in_callback();
}

void on_server(struct ev_loop*, ev_io*, int) {
  echo->on_server_readable();
}

void on_client(struct ev_loop*, ev_io*, int) {
  echo->on_client_readable();
}

}  // namespace

int main(int argc, char** argv) {
  Scenario this_scenario(argc, argv);
  Echo this_echo;
  scenario = &this_scenario;
  echo = &this_echo;
  struct ev_loop* loop = ev_default_loop(0);
  constexpr double kTick = std::chrono::duration<double>(Scenario::kTick).count();
  ev_timer timer;
  ev_timer_init(&timer, on_tick, kTick, kTick);
  ev_timer_start(loop, &timer);
  ev_io server;
  ev_io_init(&server, on_server, echo->server(), EV_READ);
  ev_io_start(loop, &server);
  ev_io client;
  ev_io_init(&client, on_client, echo->client(), EV_READ);
  ev_io_start(loop, &client);
  ev_run(loop, 0);
  ev_loop_destroy(loop);
  echo->say();
  return 0;
}
