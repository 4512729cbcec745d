// GLib: a GMainLoop with a timeout and two descriptors, and a GThreadPool.

#include <glib-unix.h>
#include <glib.h>

#include "tests/integration/targets/runtimes/scenario.h"

namespace {

struct Program {
  Scenario scenario;
  Echo echo;
  GMainLoop* loop;
};

[[gnu::noinline]] void block_in_source() {
  const Blocked blocked;
  timespec length{};
  length.tv_nsec = std::chrono::nanoseconds(Scenario::kStall).count();
  // EXPECT stall on="stalls" cause=sleep call=nanosleep function=block_in_source
  nanosleep(&length, nullptr);
}

gboolean on_tick(gpointer data) {
  auto& program = *static_cast<Program*>(data);
  if (program.scenario.is_over()) {
    g_main_loop_quit(program.loop);
    return G_SOURCE_REMOVE;
  }
  program.echo.ask();
  if (program.scenario.stalls_now()) block_in_source();
  return G_SOURCE_CONTINUE;
}

gboolean on_server(gint, GIOCondition, gpointer data) {
  static_cast<Program*>(data)->echo.on_server_readable();
  return G_SOURCE_CONTINUE;
}

gboolean on_client(gint, GIOCondition, gpointer data) {
  static_cast<Program*>(data)->echo.on_client_readable();
  return G_SOURCE_CONTINUE;
}

}  // namespace

int main(int argc, char** argv) {
  Program program{Scenario(argc, argv), Echo(), g_main_loop_new(nullptr, FALSE)};
  g_timeout_add(static_cast<guint>(Scenario::kTick.count()), on_tick, &program);
  g_unix_fd_add(program.echo.server(), G_IO_IN, on_server, &program);
  g_unix_fd_add(program.echo.client(), G_IO_IN, on_client, &program);
  GThreadPool* pool =
      g_thread_pool_new([](gpointer, gpointer) { work(); }, nullptr, 2, FALSE, nullptr);
  if (program.scenario.has_pool()) {
    for (int i = 0; i < 16; ++i) g_thread_pool_push(pool, &program, nullptr);
  }
  g_main_loop_run(program.loop);
  g_thread_pool_free(pool, FALSE, TRUE);
  program.echo.say();
  return 0;
}
