// A library that libraries.cc loads in several ways.
#include <poll.h>

#include "program.h"

using namespace hostile;

extern "C" __attribute__((visibility("default"))) int work_in_library(int with_thread) {
  static thread_local int calls = 0;
  Pipe working;
  char byte = 'a';
  int good = write(working.in(), &byte, 1) == 1 && read(working.out(), &byte, 1) == 1;
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  good += pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0;
  const timespec moment = {0, 1000};
  good += nanosleep(&moment, nullptr) == 0 && poll(nullptr, 0, 0) == 0;
  if (with_thread) {
    pthread_t thread;
    const auto burn = [](void*) -> void* {
      Loop loop;
      loop.warm_up();
      loop.run(2, [](int) { burn_ms(25); });
      return nullptr;
    };
    good +=
        pthread_create(&thread, nullptr, burn, nullptr) == 0 && pthread_join(thread, nullptr) == 0;
  }
  close(working.in());
  close(working.out());
  return good * 10 + ++calls;
}
