// Built with _FORTIFY_SOURCE=2: libc's checks hold, and still catch an overflow.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "program.h"

using namespace hostile;

int main(int argc, char**) {
  // Sizes that the compiler can't see, so that it calls the checking functions.
  volatile size_t length = 4;
  volatile nfds_t count = 2;
  char buffer[8] = "";
  pollfd polled[2] = {{-1, 0, 0}, {-1, 0, 0}};
  int ends[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  (void)!write(ends[0], "abcdefgh", 8);
  say("read %zd", read(ends[1], buffer, length));
  say(" recv %zd", recv(ends[1], buffer, length, 0));
  say(" recv %zd errno %d\n", recv(ends[1], buffer, length, MSG_DONTWAIT), errno);
  say("poll %d\n", poll(polled, count, 0));
  const timespec none = {0, 0};
  say("ppoll %d\n", ppoll(polled, count, &none, nullptr));
  const int file = open("/dev/zero", O_RDONLY);
  say("pread %zd\ndone\n", pread(file, buffer, length, 0));
  length = 9 + static_cast<size_t>(argc);
  say("overflow %zd\n", read(file, buffer, length));
}
