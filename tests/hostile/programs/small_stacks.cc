// Threads with the smallest stack there may be, making every kind of call and burning CPU.
#include <limits.h>
#include <poll.h>
#include <sys/select.h>

#include "program.h"

using namespace hostile;

namespace {

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
std::atomic<int> in_order{0};

void* work(void*) {
  Pipe working;
  char byte = 'a';
  bool good = write(working.in(), &byte, 1) == 1 && read(working.out(), &byte, 1) == 1;
  const timespec moment = {0, 100000};
  good &= nanosleep(&moment, nullptr) == 0;
  good &= poll(nullptr, 0, 1) == 0;
  timeval time = {0, 100};
  good &= select(0, nullptr, nullptr, nullptr, &time) == 0;
  pthread_mutex_lock(&mutex);
  good &= nanosleep(&moment, nullptr) == 0;
  pthread_mutex_unlock(&mutex);
  Loop loop;
  loop.warm_up();
  loop.run(2, [](int) { burn_ms(25); });
  close(working.in());
  close(working.out());
  if (good) ++in_order;
  return nullptr;
}

}  // namespace

int main() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  const size_t size = static_cast<size_t>(PTHREAD_STACK_MIN);
  say("size %d\n", pthread_attr_setstacksize(&attributes, size));
  pthread_t threads[12];
  for (pthread_t& thread : threads) {
    if (pthread_create(&thread, &attributes, work, nullptr) != 0) say("no thread\n");
  }
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  say("in order: %d\ndone\n", in_order.load());
}
