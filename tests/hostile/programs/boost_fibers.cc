// Fibers of boost.context, from several threads, that wait, lock, burn CPU, throw, and are
// destroyed in the middle of it.
#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <stdexcept>
#include <utility>

#include "program.h"

using namespace hostile;
using boost::context::fiber;
using boost::context::fixedsize_stack;

namespace {

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
std::atomic<long> sum{0};
std::atomic<int> unwound{0};

struct Unwound {
  ~Unwound() { ++unwound; }
};

void make_calls(int number) {
  char byte = static_cast<char>(number);
  Pipe working;
  const timespec moment = {0, 1000};
  (void)!write(working.in(), &byte, 1);
  nanosleep(&moment, nullptr);
  pthread_mutex_lock(&mutex);
  (void)!read(working.out(), &byte, 1);
  sum += byte;
  pthread_mutex_unlock(&mutex);
  close(working.in());
  close(working.out());
}

fiber make_fiber(int number) {
  return fiber(std::allocator_arg, fixedsize_stack(32768), [number](fiber&& back) {
    const Unwound unwinds;
    for (int i = 0;; ++i) {
      make_calls(number);
      try {
        if (i % 5 == 4) throw std::runtime_error("in a fiber");
      } catch (const std::runtime_error&) {
        sum += 1000;
      }
      if (number == 2 && i % 10 == 9) burn_ms(25);
      back = std::move(back).resume();
    }
    return std::move(back);
  });
}

void* run(void*) {
  for (int generation = 0; generation < 2; ++generation) {
    fiber fibers[] = {make_fiber(1), make_fiber(2), make_fiber(3)};
    Loop loop;
    loop.run(30, [&](int) {
      for (fiber& each : fibers) each = std::move(each).resume();
    });
    // Destroyed where they stand: their stacks are unwound.
  }
  return nullptr;
}

}  // namespace

int main() {
  pthread_t threads[2];
  for (pthread_t& thread : threads) pthread_create(&thread, nullptr, run, nullptr);
  run(nullptr);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  say("sum %ld unwound %d\ndone\n", sum.load(), unwound.load());
}
