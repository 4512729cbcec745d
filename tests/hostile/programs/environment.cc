// Clears its environment, gives its children none, and writes its title over its arguments.
#include <fcntl.h>
#include <spawn.h>

#include <string>

#include "program.h"

extern char** environ;

using namespace hostile;

namespace {

void work() {
  Loop loop;
  loop.warm_up();
  loop.run(2, [](int) { burn_ms(25); });
}

int count_variables() {
  int count = 0;
  for (char** entry = environ; entry && *entry; ++entry) ++count;
  return count;
}

// As setproctitle does: all of arguments and environment that lies in one piece.
void overwrite_arguments(int argc, char** argv, char** variables) {
  char* end = argv[0] + strlen(argv[0]) + 1;
  for (int i = 1; i < argc; ++i) {
    if (argv[i] == end) end += strlen(argv[i]) + 1;
  }
  for (int i = 0; variables[i]; ++i) {
    if (variables[i] == end) end += strlen(variables[i]) + 1;
  }
  // A copy of the environment first, and the strings behind it gone from where they were.
  int count = 0;
  while (variables[count]) ++count;
  char** copy = static_cast<char**>(malloc(sizeof(char*) * static_cast<size_t>(count + 1)));
  for (int i = 0; i < count; ++i) copy[i] = strdup(variables[i]);
  copy[count] = nullptr;
  environ = copy;
  const char title[] = "hostile: a title";
  memset(argv[0], 0, static_cast<size_t>(end - argv[0]));
  memcpy(argv[0], title, sizeof title);
}

void say_title() {
  char text[64] = "";
  const int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  (void)!read(file, text, sizeof text - 1);
  close(file);
  say("title: %s\n", text);
}

void run_without_environment(const char* self) {
  const char* arguments[] = {self, "bare", nullptr};
  char* none[] = {nullptr};
  pid_t child = -1;
  say("posix_spawn %d\n",
      posix_spawn(&child, self, nullptr, nullptr, const_cast<char**>(arguments), none));
  say_ending("without environment", wait_for(child));
}

}  // namespace

int main(int argc, char** argv, char** variables) {
  if (argc > 1) {
    work();
    say("%s: variables %d\n", argv[1], count_variables());
    return 17;
  }
  char self[4096] = "";
  (void)!readlink("/proc/self/exe", self, sizeof self - 1);
  run_without_environment(self);
  setenv("OF_MY_OWN", "value", 1);
  overwrite_arguments(argc, argv, variables);
  say_title();
  work();
  say("mine: %s\n", getenv("OF_MY_OWN"));
  say_ending("a child with all of it", system("test \"$OF_MY_OWN\" = value"));
  clearenv();
  work();
  say("cleared: %d\n", count_variables());
  const pid_t child = fork();
  if (child == 0) {
    work();
    execl(self, self, "cleared", static_cast<char*>(nullptr));
    _exit(127);
  }
  say_ending("child", wait_for(child));
  environ = nullptr;
  const pid_t last = fork();
  if (last == 0) {
    char* arguments[] = {self, const_cast<char*>("null"), nullptr};
    execve(self, arguments, nullptr);
    _exit(127);
  }
  say_ending("last child", wait_for(last));
  say("done\n");
}
