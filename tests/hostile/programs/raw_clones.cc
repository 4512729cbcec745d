// Threads and processes that libc does not know of: made by clone and clone3, with a stack and a
// thread area of their own or none, which work, wait and end by system calls alone.
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "program.h"

using namespace hostile;

namespace {

constexpr size_t kStackSize = 65536;
std::atomic<int> shared{0};
int futex_word = 0;

long raw(long number, long a = 0, long b = 0, long c = 0, long d = 0) {
  long result;
  register long fourth asm("r10") = d;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
               : "rcx", "r11", "memory");
  return result;
}

char* make_stack() {
  void* stack =
      mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return static_cast<char*>(stack) + kStackSize;
}

// A thread that shares everything, its creator's thread area too: only system calls of its own.
int bare_thread(void*) {
  const timespec moment = {0, 30000000};
  raw(SYS_nanosleep, reinterpret_cast<long>(&moment));
  shared += 1;
  raw(SYS_write, STDOUT_FILENO, reinterpret_cast<long>("a bare thread\n"), 14);
  futex_word = 1;
  raw(SYS_futex, reinterpret_cast<long>(&futex_word), FUTEX_WAKE, 1);
  raw(SYS_exit, 0);
  return 0;
}

void by_bare_thread() {
  futex_word = 0;
  const int flags =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  const int thread = clone(bare_thread, make_stack(), flags, nullptr);
  while (__atomic_load_n(&futex_word, __ATOMIC_ACQUIRE) == 0) {
    syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, nullptr, nullptr, 0);
  }
  say("clone %d shared %d\n", thread > 0, shared.load());
}

// A process in its parent's memory, which uses libc as if it were its own.
int in_memory(void* word) {
  Pipe working;
  char byte = 'a';
  const timespec moment = {0, 10000000};
  nanosleep(&moment, nullptr);
  const bool good = write(working.in(), &byte, 1) == 1 && read(working.out(), &byte, 1) == 1;
  close(working.in());
  close(working.out());
  *static_cast<int*>(word) += good;
  return 5;
}

void by_memory() {
  // Not by CLONE_VFORK: the parent goes on beside it. But it only waits, as they share a thread
  // area.
  int word = 1;
  const pid_t child = clone(in_memory, make_stack(), CLONE_VM | SIGCHLD, &word);
  int status = 0;
  while (raw(SYS_wait4, child, reinterpret_cast<long>(&status), 0) == -EINTR) {
  }
  say_ending("CLONE_VM", status);
  say("word %d\n", word);
}

void by_clone3() {
  clone_args arguments{};
  arguments.exit_signal = SIGCHLD;
  const long child = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (child == 0) {
    Loop loop;
    loop.warm_up();
    loop.run(2, [](int) { burn_ms(25); });
    say("in clone3's child\n");
    _exit(6);
  }
  if (child < 0) {
    say("clone3: errno %d\n", errno);
    return;
  }
  say_ending("clone3", wait_for(static_cast<pid_t>(child)));
  int pidfd = -1;
  arguments.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  arguments.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
  const long other = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (other == 0) {
    const timespec moment = {0, 10000000};
    nanosleep(&moment, nullptr);
    execl("/bin/sh", "sh", "-c", "exit 7", static_cast<char*>(nullptr));
    _exit(127);
  }
  siginfo_t info{};
  const int result = waitid(static_cast<idtype_t>(3), static_cast<id_t>(pidfd), &info, WEXITED);
  say("by its descriptor: %d status %d\n", result, info.si_status);
  close(pidfd);
  // No signal at its end: waited for by __WCLONE.
  arguments = {};
  const long silent = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (silent == 0) _exit(8);
  int status = 0;
  say("silent: %d", waitpid(static_cast<pid_t>(silent), &status, 0) == -1);
  say(" %d", waitpid(static_cast<pid_t>(silent), &status, __WCLONE) == silent);
  say(" exit %d\n", WEXITSTATUS(status));
}

}  // namespace

int main() {
  by_bare_thread();
  by_memory();
  by_clone3();
  Loop loop;
  loop.warm_up();
  loop.run(3, [](int) {
    burn_ms(25);
    by_bare_thread();
    by_memory();
  });
  by_clone3();
  say("done\n");
}
