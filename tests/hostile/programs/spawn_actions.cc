// posix_spawn with every action and attribute, and what it cannot start.
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>

#include "answers.h"

extern char** environ;

using namespace hostile;

namespace {

posix_spawn_file_actions_t actions;
posix_spawnattr_t attributes;

void spawn(const char* what, const char* command, bool by_path = false) {
  const char* arguments[] = {"sh", "-c", command, nullptr};
  pid_t child = -1;
  errno = kUntouched;
  const int result = by_path ? posix_spawnp(&child, "sh", &actions, &attributes,
                                            const_cast<char**>(arguments), environ)
                             : posix_spawn(&child, "/bin/sh", &actions, &attributes,
                                           const_cast<char**>(arguments), environ);
  // The child's words come first, whoever of the two is faster.
  const int status = result == 0 ? wait_for(child) : 0;
  say("%s: %d\n", what, result);
  if (result == 0) say_ending("  ended", status);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
}

void by_actions() {
  constexpr char kListing[] = "echo $(ls /proc/self/fd | tr -d '\\n'); exit 3";
  spawn("plainly", kListing);
  spawn("by path", "exit 4", true);
  posix_spawn_file_actions_addopen(&actions, 7, "made", O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_adddup2(&actions, 7, 8);
  posix_spawn_file_actions_addclose(&actions, 7);
  spawn("open, dup2, close", "echo text >&8; test -e /proc/self/fd/7 || exit 5");
  struct stat status;
  REPORT(stat("made", &status));
  say("  size %ld\n", static_cast<long>(status.st_size));
  unlink("made");
  for (int fd = 20; fd < 25; ++fd) dup2(1, fd);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  spawn("closefrom", kListing);
  for (int fd = 20; fd < 25; ++fd) close(fd);
  mkdir("below", 0700);
  posix_spawn_file_actions_addchdir_np(&actions, "below");
  posix_spawn_file_actions_addopen(&actions, 1, "out", O_WRONLY | O_CREAT, 0600);
  spawn("chdir", "pwd; echo $0");
  REPORT(unlink("below/out"));
  const int directory = open("below", O_RDONLY | O_DIRECTORY);
  posix_spawn_file_actions_addfchdir_np(&actions, directory);
  spawn("fchdir", "basename $(pwd)");
  close(directory);
  rmdir("below");
  // Onto itself: it stays open over the execution.
  const int kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
  posix_spawn_file_actions_adddup2(&actions, kept, kept);
  char command[64];
  snprintf(command, sizeof command, "test -e /proc/self/fd/%d; exit $?", kept);
  spawn("onto itself", command);
  close(kept);
  // Actions that fail: no child is left behind.
  posix_spawn_file_actions_addopen(&actions, 5, "/nowhere/at/all", O_RDONLY, 0);
  spawn("open of nothing", "exit 9");
  posix_spawn_file_actions_adddup2(&actions, 999, 5);
  spawn("dup2 of nothing", "exit 9");
  posix_spawn_file_actions_addchdir_np(&actions, "/nowhere/at/all");
  spawn("chdir to nothing", "exit 9");
}

void by_attributes() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  signal(SIGUSR2, SIG_IGN);
  sigset_t ignored;
  sigemptyset(&ignored);
  sigaddset(&ignored, SIGUSR2);
  posix_spawnattr_setsigmask(&attributes, &set);
  posix_spawnattr_setsigdefault(&attributes, &ignored);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  spawn("signals", "grep -E 'Sig(Blk|Ign)' /proc/self/status");
  spawn("signals as they are", "grep -E 'Sig(Blk|Ign)' /proc/self/status");
  signal(SIGUSR2, SIG_DFL);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  spawn("a group of its own", "set -- $(cat /proc/self/stat); test $5 = $$");
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  spawn("a session of its own", "set -- $(cat /proc/self/stat); test $6 = $$");
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_RESETIDS | POSIX_SPAWN_USEVFORK);
  spawn("own ids", "exit 10");
}

void unstartable() {
  FILE* script = fopen("script", "w");
  fputs("exit 33\n", script);
  fclose(script);
  char* arguments[] = {const_cast<char*>("./script"), nullptr};
  pid_t child = -7;
  REPORT(posix_spawn(&child, "./script", nullptr, nullptr, arguments, environ));
  chmod("script", 0755);
  // Without #!: no shell is started for it.
  REPORT(posix_spawn(&child, "./script", nullptr, nullptr, arguments, environ));
  REPORT(posix_spawnp(&child, "./script", nullptr, nullptr, arguments, environ));
  REPORT(posix_spawn(&child, "/nowhere/at/all", nullptr, nullptr, arguments, environ));
  REPORT(posix_spawnp(&child, "no-such-command-at-all", nullptr, nullptr, arguments, environ));
  REPORT(posix_spawn(&child, "/", nullptr, nullptr, arguments, environ));
  say("  child %d\n", child);
  // But exec does, when it searches the path.
  for (const bool by_path : {false, true}) {
    const pid_t forked = fork();
    if (forked == 0) {
      by_path ? execvp("./script", arguments) : execv("./script", arguments);
      _exit(errno);
    }
    say_ending(by_path ? "execvp" : "execv", wait_for(forked));
  }
  unlink("script");
}

}  // namespace

int main() {
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  by_actions();
  by_attributes();
  unstartable();
  REPORT(waitpid(-1, nullptr, __WALL));
  Loop loop;
  loop.warm_up();
  loop.run(3, [](int) {
    burn_ms(25);
    spawn("in a loop", "sleep 0.03; exit 11");
  });
  say("done\n");
}
