// Every way to make a process: the parent's view of its calls and signals stays intact.
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>

#include "program.h"

extern char** environ;

using namespace hostile;

namespace {

std::atomic<int> children_died{0};

void by_vfork() {
  volatile int shared = 0;
  const pid_t child = vfork();
  if (child == 0) {
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)!write(null, "x", 1);
    signal(SIGUSR1, SIG_DFL);
    shared = 5;
    execl("/bin/sh", "sh", "-c", "exit 21", static_cast<char*>(nullptr));
    _exit(127);
  }
  say_ending("vfork and exec", wait_for(child));
  const pid_t other = vfork();
  if (other == 0) {
    (void)!read(-1, nullptr, 0);
    shared = shared + 1;
    _exit(22);
  }
  say_ending("vfork", wait_for(other));
  say("shared %d\n", static_cast<int>(shared));
}

void by_system_call() {
  const long child = syscall(SYS_fork);
  if (child == 0) {
    say("in SYS_fork's child\n");
    const long grandchild = syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (grandchild == 0) {
      say("in SYS_clone's child\n");
      _exit(24);
    }
    say_ending("SYS_clone", wait_for(static_cast<pid_t>(grandchild)));
    _exit(23);
  }
  say_ending("SYS_fork", wait_for(static_cast<pid_t>(child)));
  const long vchild = syscall(SYS_vfork);
  if (vchild == 0) {
    // It runs on the parent's stack, from which syscall() has yet to return: no calls.
    asm volatile("syscall" ::"a"(SYS_exit), "D"(25));
    __builtin_unreachable();
  }
  say_ending("SYS_vfork", wait_for(static_cast<pid_t>(vchild)));
  const pid_t plain = _Fork();
  if (plain == 0) {
    say("in _Fork's child\n");
    _exit(26);
  }
  say_ending("_Fork", wait_for(plain));
}

alignas(16) char stack[65536];

int cloned(void* word) {
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  (void)!write(null, "x", 1);
  const timespec moment = {0, 1000000};
  nanosleep(&moment, nullptr);
  ++*static_cast<int*>(word);
  return 27;
}

void by_clone() {
  int word = 1;
  for (const int flags : {CLONE_VM | CLONE_VFORK | SIGCHLD, SIGCHLD, CLONE_FILES | SIGCHLD}) {
    const pid_t child = clone(cloned, stack + sizeof stack, flags, &word);
    say_ending("clone", wait_for(child));
    say("word %d\n", word);
  }
}

void by_spawn() {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawn_file_actions_addopen(&actions, 3, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, 1, 9);
  posix_spawn_file_actions_addclose(&actions, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  const char* arguments[] = {"sh", "-c", "echo spawned >&9; exit 28", nullptr};
  pid_t child = -1;
  const int result =
      posix_spawn(&child, "/bin/sh", &actions, &attributes, const_cast<char**>(arguments), environ);
  say_ending("posix_spawn", wait_for(child));
  say("posix_spawn %d\n", result);
  say("posix_spawn of nothing %d\n",
      posix_spawn(&child, "/nowhere", nullptr, nullptr, const_cast<char**>(arguments), environ));
}

void by_shell() {
  say_ending("system", system("exit 29"));
  FILE* stream = popen("echo from a pipe; exit 30", "r");
  char line[64] = "";
  say("popen: %s", fgets(line, sizeof line, stream) ? line : "nothing\n");
  say_ending("popen", pclose(stream));
  FILE* sink = popen("cat", "w");
  fputs("to a pipe\n", sink);
  say_ending("popen", pclose(sink));
}

}  // namespace

int main() {
  handle(
      SIGCHLD, [](int) { ++children_died; }, SA_RESTART);
  by_vfork();
  by_system_call();
  by_clone();
  by_spawn();
  by_shell();
  say("nobody else: %d errno %d\n", static_cast<int>(waitpid(-1, nullptr, __WALL)), errno);
  // Only a few signals, since those of children that die together are one.
  verdict("children died", children_died > 8);
  say("done\n");
}
