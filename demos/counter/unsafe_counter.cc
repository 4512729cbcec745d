// DEMO unsafe_counter: four threads count without a lock (with ThreadSanitizer)
// DEMO unsafe_counter_plain: the same, compiled as it is shipped: updates are lost, silently
//
// To add one is to read, to add and to write. A thread that is interrupted between its read and its
// write undoes what the others have counted meanwhile. Only ThreadSanitizer's build can tell.
// safe_counter is the same program, put right.
//
// EXPECT nothing of=unsafe_counter_plain

#include <cstdio>

#include "demos/counter/threads.h"

namespace {

#ifdef __SANITIZE_THREAD__
constexpr int kSteps = 500'000;  // each takes a hundred times as long
#else
constexpr int kSteps = 30'000'000;
#endif

// Volatile lets the compiler leave no step out; it makes none of them atomic.
volatile long counter = 0;

void add_one() {
  // EXPECT race of=unsafe_counter function=add_one
  counter = counter + 1;
}

void count() {
  for (int i = 0; i < kSteps; ++i) {
    add_one();
  }
}

}  // namespace

int main() {
  tailback::demo::on_all_threads(count);
  const long expected = long{tailback::demo::kThreads} * kSteps;
  std::printf("counted %ld of %ld: %ld updates are lost\n", counter, expected, expected - counter);
}
