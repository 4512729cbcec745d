// fcntl with every type of argument, and ioctl: variadic both, so that what is passed on must be
// neither more nor less than what came.
#include <fcntl.h>
#include <linux/fs.h>
#include <pty.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>

#include "answers.h"

using namespace hostile;

namespace {

struct flock lock_of(short type, off_t length) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_len = length;
  return lock;
}

void descriptors() {
  const int file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
  REPORT(fcntl(file, F_GETFD));
  REPORT(fcntl(file, F_SETFD, FD_CLOEXEC));
  REPORT(fcntl(file, F_GETFD));
  REPORT(fcntl(file, F_DUPFD, 100));
  REPORT(fcntl(file, F_DUPFD_CLOEXEC, 100));
  REPORT(fcntl(100, F_GETFD));
  REPORT(fcntl(101, F_GETFD));
  REPORT(fcntl(file, F_DUPFD, -1));
  REPORT(fcntl64(file, F_DUPFD, 102));
  REPORT(fcntl(file, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
  REPORT(fcntl(file, F_SETFL, O_APPEND | O_NONBLOCK));
  REPORT(fcntl(file, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
  REPORT(fcntl(-1, F_GETFD));
  REPORT(fcntl(file, 9999));
  REPORT(fcntl(file, F_SETLK, 8));
  for (const int fd : {100, 101, 102, file}) close(fd);
}

void locks() {
  const int file = open("file", O_RDWR);
  Pipe ready;
  char byte = 'r';
  struct flock lock = lock_of(F_WRLCK, 10);
  REPORT(fcntl(file, F_SETLK, &lock));
  const pid_t child = fork();
  if (child == 0) {
    const int mine = open("file", O_RDWR);
    struct flock other = lock_of(F_WRLCK, 10);
    REPORT(fcntl(mine, F_SETLK, &other));
    REPORT(fcntl(mine, F_GETLK, &other));
    say("  held by the parent %d\n", other.l_pid == getppid());
    other = lock_of(F_RDLCK, 10);
    (void)!write(ready.in(), &byte, 1);
    // Waits until the parent's is gone.
    REPORT(fcntl(mine, F_SETLKW, &other));
    _exit(4);
  }
  (void)!read(ready.out(), &byte, 1);
  until_asleep(child);
  lock.l_type = F_UNLCK;
  (void)fcntl(file, F_SETLK, &lock);
  say_ending("let go, and then the child", wait_for(child));
  const int again = open("file", O_RDWR);
  struct flock owned = lock_of(F_WRLCK, 5);
  struct flock second = lock_of(F_WRLCK, 5);
  REPORT(fcntl(file, F_OFD_SETLK, &owned));
  REPORT(fcntl(again, F_OFD_SETLK, &second));
  REPORT(fcntl(again, F_OFD_GETLK, &second));
  say("  owner %d\n", second.l_pid);
  second = lock_of(F_WRLCK, 5);
  handle(
      SIGALRM, [](int) {}, 0);
  alarm_every_ms(20);
  REPORT(fcntl(again, F_OFD_SETLKW, &second));
  handle(
      SIGALRM, [](int) {}, SA_RESTART);
  alarm_every_ms(0);
  owned.l_type = F_UNLCK;
  REPORT(fcntl(file, F_OFD_SETLKW, &owned));
  REPORT(fcntl(again, F_OFD_SETLKW, &second));
  REPORT(fcntl(again, F_SETLKW, nullptr));
  REPORT(fcntl(file, F_SETLEASE, F_RDLCK));
  REPORT(fcntl(again, F_GETLEASE));
  close(again);
  close(file);
}

// Two processes that wait for each other: the kernel refuses the one that comes second.
void deadlock() {
  const int file = open("file", O_RDWR);
  Pipe ready;
  struct flock first = lock_of(F_WRLCK, 1);
  fcntl(file, F_SETLK, &first);
  const pid_t child = fork();
  if (child == 0) {
    struct flock second = lock_of(F_WRLCK, 1);
    second.l_start = 1;
    fcntl(file, F_SETLK, &second);
    (void)!write(ready.in(), "r", 1);
    const int result = fcntl(file, F_SETLKW, &first);
    _exit(result == 0 ? 5 : errno);
  }
  char byte;
  (void)!read(ready.out(), &byte, 1);
  until_asleep(child);
  struct flock second = lock_of(F_WRLCK, 1);
  second.l_start = 1;
  const int mine = fcntl(file, F_SETLKW, &second) == 0 ? 5 : errno;
  first.l_type = F_UNLCK;
  fcntl(file, F_SETLK, &first);
  const int other = WEXITSTATUS(wait_for(child));
  verdict("one of two is refused",
          (mine == 5 && other == EDEADLK) || (mine == EDEADLK && other == 5));
  close(file);
}

void owners() {
  int ends[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  f_owner_ex owner{F_OWNER_PID, getpid()};
  REPORT(fcntl(ends[0], F_SETOWN_EX, &owner));
  owner = {F_OWNER_PID, 0};
  REPORT(fcntl(ends[0], F_GETOWN_EX, &owner));
  say("  mine %d\n", owner.pid == getpid());
  REPORT(fcntl(ends[0], F_SETOWN, getpid()));
  say("  mine %d\n", fcntl(ends[0], F_GETOWN) == getpid());
  owner = {F_OWNER_PGRP, getpgrp()};
  REPORT(fcntl(ends[0], F_SETOWN_EX, &owner));
  // A small negative number, which is no error.
  say("  my group's %d\n", fcntl(ends[0], F_GETOWN) == -getpgrp());
  REPORT(fcntl(ends[0], F_SETSIG, SIGIO));
  REPORT(fcntl(ends[0], F_GETSIG));
  Pipe pipe;
  REPORT(fcntl(pipe.in(), F_SETPIPE_SZ, 8000));
  REPORT(fcntl(pipe.in(), F_GETPIPE_SZ));
  REPORT(fcntl(ends[0], F_GETPIPE_SZ));
  const int memory = memfd_create("sealed", MFD_ALLOW_SEALING);
  REPORT(fcntl(memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK));
  REPORT(fcntl(memory, F_GET_SEALS));
  uint64_t hint = RWH_WRITE_LIFE_SHORT;
  REPORT(fcntl(memory, F_SET_RW_HINT, &hint));
  hint = 0;
  REPORT(fcntl(memory, F_GET_RW_HINT, &hint));
  say("  hint %lu\n", static_cast<unsigned long>(hint));
  for (const int fd : {ends[0], ends[1], memory, pipe.in(), pipe.out()}) close(fd);
}

void devices() {
  int count = -1;
  int on = 1;
  Pipe pipe;
  (void)!write(pipe.in(), "12345", 5);
  REPORT(ioctl(pipe.out(), FIONREAD, &count));
  say("  count %d\n", count);
  REPORT(ioctl(pipe.out(), FIONBIO, &on));
  say("  nonblocking %d\n", (fcntl(pipe.out(), F_GETFL) & O_NONBLOCK) != 0);
  REPORT(ioctl(pipe.out(), FIOCLEX));
  REPORT(fcntl(pipe.out(), F_GETFD));
  REPORT(ioctl(pipe.out(), FIONCLEX));
  REPORT(fcntl(pipe.out(), F_GETFD));
  winsize size{};
  REPORT(ioctl(pipe.out(), TIOCGWINSZ, &size));
  REPORT(ioctl(-1, FIONREAD, &count));
  REPORT(ioctl(pipe.out(), FIONREAD, reinterpret_cast<int*>(8)));
  REPORT(ioctl(pipe.out(), 0xffffffff00005413, &size));
  int master = -1;
  int terminal = -1;
  size = {24, 80, 1, 2};
  REPORT(openpty(&master, &terminal, nullptr, nullptr, &size));
  winsize got{};
  REPORT(ioctl(terminal, TIOCGWINSZ, &got));
  say("  %d by %d\n", got.ws_row, got.ws_col);
  termios settings{};
  REPORT(tcgetattr(terminal, &settings));
  cfmakeraw(&settings);
  REPORT(tcsetattr(terminal, TCSADRAIN, &settings));
  REPORT(tcdrain(terminal));
  REPORT(tcdrain(pipe.in()));
  REPORT(tcflush(terminal, TCIOFLUSH));
  REPORT(tcsendbreak(terminal, 0));
  REPORT(tcflow(terminal, TCOON));
  REPORT(isatty(terminal));
  REPORT(isatty(pipe.in()));
  REPORT(write(master, "typed\n", 6));
  char text[16] = "";
  REPORT(read(terminal, text, sizeof text));
  close(terminal);
  // What a master whose terminal is closed gives.
  REPORT(read(master, text, sizeof text));
  close(master);
}

// A wrapper that forgets what kind of argument a request has would damage these.
void all_requests() {
  const int file = open("file", O_RDWR);
  for (int command = 0; command < 40; ++command) {
    if (command == F_SETOWN || command == F_SETLKW || command == F_OFD_SETLKW ||
        command == F_GETFL) {
      continue;
    }
    errno = kUntouched;
    const int result = fcntl(file, command, 0);
    const int error = errno;
    say("fcntl %d: %d, errno %d\n", command, result, error);
    if ((command == F_DUPFD) && result >= 0) close(result);
  }
  close(file);
}

}  // namespace

int main() {
  descriptors();
  locks();
  deadlock();
  owners();
  devices();
  all_requests();
  unlink("file");
  say("done\n");
}
