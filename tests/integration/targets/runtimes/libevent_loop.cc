// libevent: a persistent timer and two sockets.

#include <event2/event.h>
#include <time.h>

#include "tests/integration/targets/runtimes/scenario.h"

namespace {

struct Program {
  Scenario scenario;
  Echo echo;
  event_base* base;
};

[[gnu::noinline]] void block_in_callback() {
  const Blocked blocked;
  timespec length{};
  length.tv_nsec = std::chrono::nanoseconds(Scenario::kStall).count();
  // EXPECT stall on="stalls" cause=sleep call=nanosleep function=block_in_callback
  nanosleep(&length, nullptr);
}

void on_tick(evutil_socket_t, short, void* argument) {
  auto& program = *static_cast<Program*>(argument);
  if (program.scenario.is_over()) {
    event_base_loopbreak(program.base);
    return;
  }
  program.echo.ask();
  if (program.scenario.stalls_now()) block_in_callback();
}

void on_server(evutil_socket_t, short, void* argument) {
  static_cast<Program*>(argument)->echo.on_server_readable();
}

void on_client(evutil_socket_t, short, void* argument) {
  static_cast<Program*>(argument)->echo.on_client_readable();
}

}  // namespace

int main(int argc, char** argv) {
  Program program{Scenario(argc, argv), Echo(), event_base_new()};
  const timeval tick{0, std::chrono::microseconds(Scenario::kTick).count()};
  event* events[] = {
      event_new(program.base, -1, EV_PERSIST, on_tick, &program),
      event_new(program.base, program.echo.server(), EV_READ | EV_PERSIST, on_server, &program),
      event_new(program.base, program.echo.client(), EV_READ | EV_PERSIST, on_client, &program)};
  event_add(events[0], &tick);
  event_add(events[1], nullptr);
  event_add(events[2], nullptr);
  event_base_dispatch(program.base);
  for (event* each : events) event_free(each);
  event_base_free(program.base);
  program.echo.say();
  return 0;
}
