// vfork as shells and language runtimes use it: children that arrange their descriptors, fail to
// execute, nest, and leave the parent as it was; from several threads and from within a loop.
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>

#include "program.h"

extern char** environ;

using namespace hostile;

namespace {

// As a shell starts a command: opens, duplicates, closes, resets its signals, executes.
pid_t start_command(const char* command, const char* output) {
  const pid_t child = vfork();
  if (child == 0) {
    signal(SIGINT, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    const int file = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || dup2(file, STDOUT_FILENO) < 0) _exit(126);
    close(file);
    close_range(3, ~0u, 0);
    setpgid(0, 0);
    execl("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr));
    _exit(127);
  }
  return child;
}

void say_file(const char* path) {
  char text[256] = "";
  const int file = open(path, O_RDONLY);
  const ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  unlink(path);
  say("  wrote %zd: %s", size, text);
}

void commands() {
  Pipe kept;
  say_ending("command", wait_for(start_command("echo from a command; exit 3", "out.txt")));
  say_file("out.txt");
  const int before = fcntl(kept.in(), F_GETFD);
  say_ending("no output", wait_for(start_command("exit 4", "/nowhere/at/all")));
  say("the pipe is as it was: %d\n", before == fcntl(kept.in(), F_GETFD));
  close(kept.in());
  close(kept.out());
}

// The error goes to the parent through shared memory, as exec's callers like it.
volatile int error_of_child = 0;
__attribute__((noinline)) pid_t execute(const char* path) {
  const pid_t child = vfork();
  if (child == 0) {
    char* arguments[] = {const_cast<char*>("x"), nullptr};
    execve(path, arguments, environ);
    error_of_child = errno;
    _exit(121);
  }
  return child;
}
void failing() {
  for (const char* path : {"/nowhere/at/all", "/", "/etc/passwd", "/proc/self/status"}) {
    say_ending(path, wait_for(execute(path)));
    say("  error %d\n", static_cast<int>(error_of_child));
  }
}

// The child waits, locks and reads, before it goes: all in its parent's memory.
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
void busy() {
  volatile int shared = 0;
  const pid_t child = vfork();
  if (child == 0) {
    const timespec moment = {0, 20000000};
    nanosleep(&moment, nullptr);
    pthread_mutex_lock(&mutex);
    shared = shared + 1;
    pthread_mutex_unlock(&mutex);
    // A child of the child.
    const pid_t nested = vfork();
    if (nested == 0) {
      shared = shared + 10;
      const timespec other = {0, 5000000};
      nanosleep(&other, nullptr);
      _exit(5);
    }
    int status = 0;
    waitpid(nested, &status, 0);
    shared = shared + WEXITSTATUS(status) * 100;
    _exit(6);
  }
  say_ending("nested", wait_for(child));
  say("shared %d\n", static_cast<int>(shared));
}

__attribute__((noinline)) pid_t start_one(bool executes) {
  const pid_t child = vfork();
  if (child == 0) {
    if (!executes) _exit(7);
    execl("/bin/true", "true", static_cast<char*>(nullptr));
    _exit(127);
  }
  return child;
}

void* start_many(void*) {
  long good = 0;
  for (int i = 0; i < 25; ++i) {
    good += wait_for(start_one(i % 2 == 0)) == (i % 2 ? 7 << 8 : 0);
  }
  return reinterpret_cast<void*>(good);
}

}  // namespace

int main() {
  commands();
  failing();
  busy();
  pthread_t threads[4];
  for (pthread_t& thread : threads) pthread_create(&thread, nullptr, start_many, nullptr);
  for (pthread_t thread : threads) {
    void* good = nullptr;
    pthread_join(thread, &good);
    say("in a thread: %ld good\n", reinterpret_cast<long>(good));
  }
  Loop loop;
  loop.warm_up();
  loop.run(3, [](int) {
    burn_ms(25);
    busy();
    say_ending("in a loop", wait_for(start_command("sleep 0.03; exit 8", "/dev/null")));
  });
  say("done\n");
}
