// Runs with an auditing library, which changes one function and sees all the others.
#include <dlfcn.h>
#include <poll.h>

#include "answers.h"

using namespace hostile;

int main() {
  REPORT(getppid());
  Pipe pipe;
  char byte = 'a';
  REPORT(write(pipe.in(), &byte, 1));
  REPORT(read(pipe.out(), &byte, 1));
  REPORT(poll(nullptr, 0, 1));
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  REPORT(pthread_mutex_lock(&mutex));
  REPORT(pthread_mutex_unlock(&mutex));
  REPORT(read(-1, &byte, 1));
  void* library = dlopen("libm.so.6", RTLD_NOW);
  REPORT(dlsym(library, "cos"));
  Loop loop;
  loop.warm_up();
  loop.run(4, [](int) { burn_ms(25); });
  const pid_t child = fork();
  if (child == 0) _exit(getppid() == 4242 ? 7 : 8);
  say_ending("child", wait_for(child));
  say("done\n");
}
