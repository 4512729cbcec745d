// A tree of 1,111 short-lived children, ten to a parent; every leaf executes another program.
#include "program.h"

using namespace hostile;

namespace {

Pipe counted;

// The exit status of the process that calls it.
int grow(int depth) {
  (void)!write(counted.in(), "c", 1);
  if (depth == 0) {
    execl("/bin/true", "true", static_cast<char*>(nullptr));
    return 127;
  }
  pid_t children[10];
  for (pid_t& child : children) {
    child = fork();
    if (child == 0) _exit(grow(depth - 1));
  }
  int good = 0;
  for (const pid_t child : children) good += child > 0 && wait_for(child) == 0;
  return good == 10 ? 0 : 1;
}

}  // namespace

int main() {
  const pid_t root = fork();
  if (root == 0) {
    close(counted.out());
    _exit(grow(3));
  }
  close(counted.in());
  char text[512];
  size_t children = 0;
  ssize_t n;
  while ((n = read(counted.out(), text, sizeof text)) > 0) children += static_cast<size_t>(n);
  say_ending("root", wait_for(root));
  say("children %zu\ndone\n", children);
}
