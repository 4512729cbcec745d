// Fibers (makecontext, swapcontext) on small stacks of their own, which wait, lock, burn CPU and
// are thrown away in the middle of it.
#include <poll.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "program.h"

using namespace hostile;

namespace {

constexpr size_t kStackSize = 16384;
ucontext_t main_context;
ucontext_t fibers[4];
Pipe working;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
long sum = 0;
int epoll = -1;

void switch_back(int fiber) {
  swapcontext(&fibers[fiber], &main_context);
}

void run_fiber(int fiber) {
  for (int i = 0;; ++i) {
    char byte = static_cast<char>(fiber);
    epoll_event event;
    (void)!write(working.in(), &byte, 1);
    switch_back(fiber);
    pthread_mutex_lock(&mutex);
    (void)!read(working.out(), &byte, 1);
    sum += byte;
    pthread_mutex_unlock(&mutex);
    if (fiber % 2) {
      poll(nullptr, 0, 0);
    } else {
      epoll_wait(epoll, &event, 1, 0);
    }
    if (i % 100 == 50) burn_ms(fiber == 3 ? 25 : 1);
    switch_back(fiber);
  }
}

void* make_stack() {
  return mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void start(int fiber, void* stack) {
  getcontext(&fibers[fiber]);
  fibers[fiber].uc_stack.ss_sp = stack;
  fibers[fiber].uc_stack.ss_size = kStackSize;
  fibers[fiber].uc_link = nullptr;
  makecontext(&fibers[fiber], reinterpret_cast<void (*)()>(run_fiber), 1, fiber);
}

}  // namespace

int main() {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int generation = 0; generation < 3; ++generation) {
    void* stacks[4];
    for (int fiber = 0; fiber < 4; ++fiber) {
      stacks[fiber] = make_stack();
      start(fiber, stacks[fiber]);
    }
    for (int i = 0; i < 400; ++i) {
      for (int step = 0; step < 2; ++step) {
        for (int fiber = 0; fiber < 4; ++fiber) swapcontext(&main_context, &fibers[fiber]);
      }
    }
    say("sum %ld\n", sum);
    for (void* stack : stacks) munmap(stack, kStackSize);
  }
  say("done\n");
}
