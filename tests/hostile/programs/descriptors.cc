// Closes and reuses every descriptor there is, at the very start and in the middle.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "program.h"

using namespace hostile;

namespace {

void say_open(const char* when) {
  say("%s, open:", when);
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) say(" %d", fd);
  }
  say("\n");
}

bool work() {
  Pipe working;
  char byte = 'a';
  bool good = write(working.in(), &byte, 1) == 1 && read(working.out(), &byte, 1) == 1;
  Loop loop;
  loop.warm_up();
  loop.run(2, [](int) { burn_ms(25); });
  close(working.in());
  close(working.out());
  return good;
}

}  // namespace

int main() {
  say_open("at first");
  say("close_range %d\n", close_range(3, ~0u, 0));
  verdict("works", work());
  say_open("after work");
  // A file at every number that can be had.
  const int file = open("file", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  const int last = limit.rlim_cur > 1024 ? 1023 : static_cast<int>(limit.rlim_cur) - 1;
  for (int fd = 3; fd <= last; ++fd) {
    if (fd != file && dup2(file, fd) != fd) say("dup2 to %d failed\n", fd);
  }
  char byte = 'x';
  int written = 0;
  for (int fd = 3; fd <= last; ++fd) written += write(fd, &byte, 1) == 1;
  struct stat status;
  fstat(file, &status);
  say("written %d size %ld\n", written, static_cast<long>(status.st_size));
  closefrom(5);
  verdict("works", work());
  say_open("after closefrom");
  // Nothing but standard output, then nothing but a loop.
  close(0);
  close(2);
  closefrom(3);
  verdict("works", work());
  const pid_t child = fork();
  if (child == 0) {
    close_range(0, ~0u, 0);
    _exit(work() ? 6 : 7);
  }
  say_ending("without any", wait_for(child));
  say_open("at last");
  unlink("file");
  say("done\n");
}
