// Becomes a daemon in the old way: two forks, a session of its own, all descriptors closed. The
// daemon works on after its parent has gone, and tells what it saw through a file.
#include <fcntl.h>
#include <sys/stat.h>

#include "program.h"

using namespace hostile;

namespace {

void live_as_daemon() {
  const pid_t leader = setsid();
  if (fork() != 0) _exit(8);
  (void)!chdir("/");
  umask(0);
  close_range(0, ~0u, 0);
  open("/dev/null", O_RDWR);
  (void)!dup(0);
  (void)!dup(0);
  Loop loop;
  loop.warm_up();
  loop.run(3, [](int) { burn_ms(25); });
  const timespec while_parent_goes = in_ms(50);
  nanosleep(&while_parent_goes, nullptr);
  loop.run(2, [](int) { burn_ms(25); });
  int open_descriptors = 0;
  for (int fd = 0; fd < 256; ++fd) open_descriptors += fcntl(fd, F_GETFD) >= 0;
  char text[200];
  snprintf(text, sizeof text,
           "in a session of its own %d, descriptors %d, child of its parent %d\n",
           getsid(0) == leader, open_descriptors, getppid() == leader);
  const int file = open(getenv("DAEMON_FILE"), O_WRONLY | O_CREAT | O_EXCL, 0644);
  (void)!write(file, text, strlen(text));
  fchmod(file, 0444);
  _exit(0);
}

}  // namespace

int main() {
  char path[4096];
  if (!getcwd(path, sizeof path - 16)) return 1;
  strcat(path, "/daemon.txt");
  setenv("DAEMON_FILE", path, 1);
  const pid_t child = fork();
  if (child == 0) live_as_daemon();
  say_ending("child", wait_for(child));
  struct stat status;
  for (int i = 0; i < 1000; ++i) {
    if (stat(path, &status) == 0 && (status.st_mode & 0777) == 0444) break;
    usleep(10000);
  }
  char text[256] = "";
  const int file = open(path, O_RDONLY);
  (void)!read(file, text, sizeof text - 1);
  say("the daemon: %sdone\n", text);
  unlink(path);
}
