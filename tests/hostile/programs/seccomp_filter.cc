// Allows itself what it needs, and nothing else: any other system call kills it. What it needs is
// what it makes when nobody watches; the recorder must add nothing, neither in new threads nor in
// children, nor by a signal's return.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "program.h"

using namespace hostile;

namespace {

#define ALLOW(name)                                                \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)SYS_##name, 0, 1), \
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

sock_filter filter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
    ALLOW(read),
    ALLOW(write),
    ALLOW(close),
    ALLOW(clock_nanosleep),
    ALLOW(futex),
    ALLOW(epoll_wait),
    ALLOW(mmap),
    ALLOW(munmap),
    ALLOW(mprotect),
    ALLOW(madvise),
    ALLOW(clone),
    ALLOW(clone3),
    ALLOW(set_robust_list),
    ALLOW(rseq),
    ALLOW(rt_sigprocmask),
    ALLOW(wait4),
    ALLOW(exit),
    ALLOW(exit_group),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
long sum = 0;

void* work(void* loop) {
  const timespec moment = {0, 1000000};
  nanosleep(&moment, nullptr);
  static_cast<Loop*>(loop)->run(3, [](int) { burn_ms(30); });
  pthread_mutex_lock(&mutex);
  ++sum;
  nanosleep(&moment, nullptr);
  pthread_mutex_unlock(&mutex);
  return nullptr;
}

void install(bool by_system_call) {
  sock_fprog program = {sizeof filter / sizeof *filter, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(1);
  const long result = by_system_call ? syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)
                                     : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
  if (result != 0) _exit(1);
}

}  // namespace

int main(int argc, char**) {
  Loop loop;
  Loop other;
  loop.warm_up();
  // libc's first thread makes calls that later ones don't.
  pthread_t threads[2];
  pthread_create(
      &threads[0], nullptr, [](void*) -> void* { return nullptr; }, nullptr);
  pthread_join(threads[0], nullptr);
  install(argc > 1);
  work(&loop);
  pthread_create(&threads[0], nullptr, work, &loop);
  pthread_join(threads[0], nullptr);
  pthread_create(&threads[0], nullptr, work, &other);
  pthread_create(&threads[1], nullptr, work, &loop);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  const pid_t child = fork();
  if (child == 0) {
    pthread_create(&threads[0], nullptr, work, &loop);
    work(&other);
    pthread_join(threads[0], nullptr);
    _exit(15);
  }
  say_ending("child", wait_for(child));
  say("sum %ld\ndone\n", sum);
}
