// DEMO safe_counter: four threads count, with a mutex and with an atomic (with ThreadSanitizer)
// DEMO safe_counter_plain: the same, compiled as it is shipped
//
// The two ways to put unsafe_counter right. A mutex lets one thread at a time do all three steps;
// an atomic makes one step of them. For a single number the atomic is the cheaper one.
//
// EXPECT nothing

#include <atomic>
#include <cstdio>
#include <mutex>

#include "demos/counter/threads.h"

namespace {

constexpr int kSteps = 100'000;

long guarded_counter = 0;
std::mutex guarded_counter_mutex;
std::atomic<long> atomic_counter = 0;

void count() {
  for (int i = 0; i < kSteps; ++i) {
    {
      const std::lock_guard lock(guarded_counter_mutex);
      guarded_counter = guarded_counter + 1;
    }
    ++atomic_counter;
  }
}

}  // namespace

int main() {
  tailback::demo::on_all_threads(count);
  const long expected = long{tailback::demo::kThreads} * kSteps;
  std::printf("mutex: counted %ld of %ld\n", guarded_counter, expected);
  std::printf("atomic: counted %ld of %ld\n", atomic_counter.load(), expected);
}
