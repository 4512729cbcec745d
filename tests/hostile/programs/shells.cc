// system, popen and pclose: statuses, signals and descriptors as POSIX says, in the parent and in
// the children.
#include <fcntl.h>

#include <string>

#include "answers.h"

using namespace hostile;

namespace {

std::atomic<int> children{0};
std::atomic<int> interrupts{0};

void say_status(const char* what, int status) {
  if (status < 0) {
    say("%s: %d, errno %d\n", what, status, errno);
  } else {
    say_ending(what, status);
  }
}

const char* disposition(int number) {
  struct sigaction action;
  sigaction(number, nullptr, &action);
  return action.sa_handler == SIG_DFL   ? "default"
         : action.sa_handler == SIG_IGN ? "ignored"
                                        : "a handler";
}

void say_signals(const char* when) {
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  say("%s: INT %s QUIT %s CHLD %s blocked %d\n", when, disposition(SIGINT), disposition(SIGQUIT),
      disposition(SIGCHLD), sigismember(&blocked, SIGCHLD));
}

void by_system() {
  REPORT(system(nullptr));
  for (const char* command :
       {"exit 0", "exit 3", "kill -9 $$", "kill -TERM $$", "no-such-command-at-all 2>/dev/null",
        "echo said by the shell", "exit 255"}) {
    errno = kUntouched;
    say_status(command, system(command));
  }
  // While the shell runs the caller ignores SIGINT and SIGQUIT and keeps SIGCHLD back.
  handle(
      SIGCHLD, [](int) { ++children; }, SA_RESTART);
  handle(
      SIGINT, [](int) { ++interrupts; }, SA_RESTART);
  say_signals("before");
  say_status("interrupts its parent", system("kill -INT $PPID; kill -QUIT $PPID; exit 4"));
  say_signals("after");
  say("children %d interrupts %d\n", children.load(), interrupts.load());
  // In the shell they are as they were.
  say_status("quits itself", system("ulimit -c 0; kill -QUIT $$"));
  signal(SIGQUIT, SIG_IGN);
  say_status("ignores", system("kill -QUIT $$; exit 5"));
  signal(SIGQUIT, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  // The shell's status is taken by system alone; with SIGCHLD ignored there is none to take.
  signal(SIGCHLD, SIG_IGN);
  errno = kUntouched;
  say_status("ignored children", system("exit 6"));
  signal(SIGCHLD, SIG_DFL);
  const pid_t other = fork();
  if (other == 0) _exit(7);
  say_status("beside another child", system("exit 8"));
  say_ending("the other child", wait_for(other));
}

void* with_others(void* command) {
  return reinterpret_cast<void*>(static_cast<intptr_t>(system(static_cast<const char*>(command))));
}

// Several at once, which share what they do to the signals.
void at_once() {
  pthread_t threads[4];
  const char* commands[] = {"sleep 0.05; exit 1", "exit 2", "sleep 0.02; exit 3", "exit 4"};
  for (int i = 0; i < 4; ++i) {
    pthread_create(&threads[i], nullptr, with_others, const_cast<char*>(commands[i]));
  }
  for (pthread_t thread : threads) {
    void* status = nullptr;
    pthread_join(thread, &status);
    say_ending("at once", static_cast<int>(reinterpret_cast<intptr_t>(status)));
  }
  say_signals("after all");
}

// A thread that is cancelled in system takes the shell with it.
void cancelled() {
  pthread_t thread;
  pthread_create(&thread, nullptr, with_others,
                 const_cast<char*>("echo $$ > shell.pid; exec sleep 60"));
  std::string text;
  for (int i = 0; i < 2000 && (text.empty() || text.back() != '\n'); ++i) {
    usleep(5000);
    FILE* file = fopen("shell.pid", "r");
    char line[32] = "";
    if (file) {
      if (fgets(line, sizeof line, file)) text = line;
      fclose(file);
    }
  }
  const pid_t shell = atoi(text.c_str());
  void* result = nullptr;
  say("cancel %d", pthread_cancel(thread));
  say(" join %d", pthread_join(thread, &result));
  say(" canceled %d\n", result == PTHREAD_CANCELED);
  say("the shell is gone %d\n", shell > 0 && kill(shell, 0) != 0 && errno == ESRCH);
  say_signals("after a cancellation");
  unlink("shell.pid");
}

void read_from(const char* command, const char* mode) {
  FILE* stream = popen(command, mode);
  char line[64];
  while (fgets(line, sizeof line, stream)) say("  %s", line);
  errno = kUntouched;
  say_status(command, pclose(stream));
}

void by_popen() {
  read_from("echo one; echo two; exit 9", "r");
  read_from("kill -9 $$", "r");
  read_from("ls -l /proc/self/fd | wc -l", "re");
  read_from("echo $0 $#; echo error >&2", "r");
  FILE* sink = popen("read a; read b; echo $b $a; exit 10", "w");
  fputs("first\nsecond\n", sink);
  say_status("written", pclose(sink));
  FILE* gone = popen("exit 0", "w");
  signal(SIGPIPE, SIG_IGN);
  while (fputs("to nobody\n", gone) >= 0 && fflush(gone) == 0) usleep(100);
  say("nobody reads: errno %d\n", errno);
  say_status("nobody", pclose(gone));
  // The earlier stream's descriptor is not left open in the later child; the flags are as asked.
  FILE* first = popen("cat", "w");
  FILE* second = popen("cat", "we");
  say("flags %d %d\n", fcntl(fileno(first), F_GETFD), fcntl(fileno(second), F_GETFD));
  fputs("to the first\n", first);
  say_status("first", pclose(first));
  fputs("to the second\n", second);
  say_status("second", pclose(second));
  // Its child was waited for by somebody else.
  FILE* stolen = popen("exit 11", "r");
  say_ending("stolen", wait_for(-1));
  errno = kUntouched;
  say_status("pclose of a stolen child", pclose(stolen));
  // Each closed by the other's function, out of the compiler's sight.
  FILE* volatile file = fopen("/dev/null", "r");
  REPORT(pclose(file));
  FILE* volatile closed = popen("exit 12", "r");
  errno = kUntouched;
  say_status("fclose", fclose(closed));
}

}  // namespace

int main() {
  by_system();
  at_once();
  cancelled();
  by_popen();
  REPORT(waitpid(-1, nullptr, __WALL));
  say("done\n");
}
