// Started without descriptors 0, 1 and 2. Says what it finds in a file, then in its exit status.
#include <fcntl.h>

#include "program.h"

using namespace hostile;

int main() {
  unsigned found = 0;
  for (int fd = 0; fd < 10; ++fd) found |= (fcntl(fd, F_GETFD) >= 0) << fd;
  Loop loop;
  loop.warm_up();
  loop.run(3, [](int) { burn_ms(25); });
  // The lowest number is free, so this becomes standard output only when it was made to.
  const int file = open("closed_standard.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file != STDOUT_FILENO) dup2(file, STDOUT_FILENO);
  say("open at first: %x\nfile: %d\ndone\n", found, file);
  return 19;
}
