// A loop of poll, ppoll or select that allows itself its own system calls, and nothing else. Its
// callbacks wait at the loop's call site, where the recorder would like to know more. HOW: by poll,
// ppoll or select; then "late": the filter comes when the loop is established.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include <string>

#include "program.h"

using namespace hostile;

namespace {

#define ALLOW(number) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

void install(const std::string& how) {
  const unsigned own = how == "poll" ? SYS_poll : how == "ppoll" ? SYS_ppoll : SYS_pselect6;
  const unsigned other = how == "select" ? SYS_select : own;
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      ALLOW(SYS_write),
      ALLOW(own),
      ALLOW(other),
      ALLOW(SYS_clock_nanosleep),
      ALLOW(SYS_exit_group),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  sock_fprog program = {sizeof filter / sizeof *filter, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(1);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) _exit(1);
}

[[gnu::noinline]] int wait_at_one_place(const std::string& how, int fd, int ms) {
  pollfd entry{fd, POLLIN, 0};
  if (how == "poll") return poll(&entry, 1, ms);
  const timespec timeout = in_ms(ms);
  if (how == "ppoll") return ppoll(&entry, 1, &timeout, nullptr);
  fd_set reads;
  FD_ZERO(&reads);
  FD_SET(fd, &reads);
  timeval time = {ms / 1000, ms % 1000 * 1000};
  return select(fd + 1, &reads, nullptr, nullptr, &time);
}

[[gnu::noinline]] int wait_deeper(const std::string& how, int fd, int ms) {
  volatile char frame[512];
  frame[0] = 1;
  const int result = wait_at_one_place(how, fd, ms);
  frame[1] = frame[0];
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argv[1];
  const bool is_late = argc > 2;
  const Pipe silent;
  const Pipe ready;
  (void)!write(ready.in(), "x", 1);
  if (!is_late) install(how);
  int events = 0;
  for (int i = 0; i < 60; ++i) {
    if (is_late && i == 30) install(how);
    events += wait_at_one_place(how, ready.out(), 1000);
    const timespec moment = in_ms(10);
    nanosleep(&moment, nullptr);
    if (i == 40) events += wait_at_one_place(how, silent.out(), 150);
    if (i == 50) events += wait_deeper(how, silent.out(), 150);
  }
  say("events %d\ndone\n", events);
  _exit(0);
}
