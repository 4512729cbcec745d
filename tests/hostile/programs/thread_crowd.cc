// 5,000 threads at once, all waiting, then all working; or as many as it is told.
//   thread_crowd [COUNT]
#include "program.h"

using namespace hostile;

namespace {

constexpr int kMost = 20000;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
int waiting = 0;
bool go = false;
long sum = 0;
Pipe gate;

void* work(void* number) {
  pthread_mutex_lock(&mutex);
  ++waiting;
  pthread_cond_broadcast(&condition);
  while (!go) pthread_cond_wait(&condition, &mutex);
  sum += reinterpret_cast<long>(number);
  pthread_mutex_unlock(&mutex);
  char byte;
  (void)!read(gate.out(), &byte, 1);
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  static pthread_t threads[kMost];
  const int count = argc > 1 ? atoi(argv[1]) : 5000;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  int made = 0;
  for (long i = 0; i < count && i < kMost; ++i) {
    if (pthread_create(&threads[i], &attributes, work, reinterpret_cast<void*>(i)) == 0) ++made;
  }
  pthread_mutex_lock(&mutex);
  while (waiting < made) pthread_cond_wait(&condition, &mutex);
  go = true;
  pthread_cond_broadcast(&condition);
  pthread_mutex_unlock(&mutex);
  close(gate.in());
  for (int i = 0; i < made; ++i) pthread_join(threads[i], nullptr);
  say("made %d sum %ld\ndone\n", made, sum);
}
