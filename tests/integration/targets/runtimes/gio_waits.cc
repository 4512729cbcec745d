// GLib: a GMainLoop with a callback that waits for a child process in a way of GLib's, which polls
// at the loop's own call site. WAY: healthy, communicate, wait.
#include <gio/gio.h>
#include <stdio.h>
#include <unistd.h>

#include <string>

namespace {

constexpr guint kTickMs = 10;
constexpr int kTicks = 150;

struct Program {
  std::string way;
  GMainLoop* loop;
  int ticks = 0;
};

[[gnu::noinline]] void convert_by_child(const std::string& way) {
  const gint64 begin = g_get_monotonic_time();
  GSubprocess* child = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE, nullptr, "sh", "-c",
                                        "sleep 0.4; echo x", nullptr);
  char* output = nullptr;
  // EXPECT stall on="communicate" function=convert_by_child
  if (way == "communicate")
    g_subprocess_communicate_utf8(child, nullptr, nullptr, &output, nullptr, nullptr);
  // EXPECT stall on="wait" function=convert_by_child
  if (way == "wait") g_subprocess_wait(child, nullptr, nullptr);
  g_free(output);
  g_object_unref(child);
  printf("blocked %d %.3f\n", getpid(), static_cast<double>(g_get_monotonic_time() - begin) / 1e3);
  fflush(stdout);
}

gboolean on_tick(gpointer data) {
  auto& program = *static_cast<Program*>(data);
  if (++program.ticks == kTicks / 2 && program.way != "healthy") convert_by_child(program.way);
  if (program.ticks < kTicks) return G_SOURCE_CONTINUE;
  g_main_loop_quit(program.loop);
  return G_SOURCE_REMOVE;
}

}  // namespace

int main(int argc, char** argv) {
  Program program{argc > 1 ? argv[1] : "", g_main_loop_new(nullptr, FALSE)};
  g_timeout_add(kTickMs, on_tick, &program);
  g_main_loop_run(program.loop);
  return 0;
}
