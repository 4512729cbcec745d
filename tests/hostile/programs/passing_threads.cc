// 50,000 threads, more than a segment has records for, come and go, from four others at once:
// joined, detached, and ended early.
#include "program.h"

using namespace hostile;

namespace {

constexpr int kRounds = 12000;
std::atomic<long> ran{0};
std::atomic<long> detached{0};

void* pass(void* early) {
  char byte;
  ++ran;
  (void)!read(-1, &byte, 1);
  if (early) pthread_exit(nullptr);
  return nullptr;
}

void* pass_detached(void*) {
  char byte;
  (void)!read(-1, &byte, 1);
  ++detached;
  return nullptr;
}

void* start_many(void*) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  for (int i = 0; i < kRounds; ++i) {
    pthread_t thread;
    while (pthread_create(&thread, nullptr, pass, i % 2 ? &attributes : nullptr) != 0) usleep(100);
    pthread_join(thread, nullptr);
    if (i % 10 == 0) {
      while (pthread_create(&thread, &attributes, pass_detached, nullptr) != 0) usleep(100);
    }
  }
  return nullptr;
}

}  // namespace

int main() {
  pthread_t threads[4];
  for (pthread_t& thread : threads) pthread_create(&thread, nullptr, start_many, nullptr);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  while (detached < 4 * kRounds / 10) usleep(1000);
  say("joined %ld detached %ld\ndone\n", ran.load(), detached.load());
}
