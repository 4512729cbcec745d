// DEMO process_pool: eight CPU-heavy tasks in the loop, on threads and in processes on all cores
//
// A loop has one core, and serves nobody while it computes. Threads and processes have all cores,
// and the loop goes on. In C++ threads are as good as processes here; in Python, where one thread
// at a time interprets, only processes help (python/process_pool).

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "demos/coroutines/heartbeat.h"

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using tailback::demo::Loop;
using tailback::demo::Task;

namespace {

constexpr int kTasks = 8;

struct Shared {
  std::atomic<int> next = 0;  // task
  std::atomic<uint64_t> result = 0;
};

// About a tenth of a second, or as long as this CPU takes for it.
// EXPECT stall cause=cpu call=none function=compute lines=+1..+6
uint64_t compute(uint64_t value) {
  for (int i = 0; i < 60'000'000; ++i) {
    value = value * 6364136223846793005u + 1442695040888963407u;
  }
  return value;
}

// Takes tasks until there are none left. What each worker of a pool does.
void work(Shared& shared) {
  for (int task = shared.next++; task < kTasks; task = shared.next++) {
    shared.result += compute(static_cast<uint64_t>(task));
  }
}

unsigned cores() {
  return std::max(1u, std::thread::hardware_concurrency());
}

void on_threads(Shared& shared) {
  std::vector<std::jthread> workers;
  for (unsigned i = 0; i < cores(); ++i) {
    workers.emplace_back([&shared] { work(shared); });
  }
}

void in_processes(Shared& shared) {
  std::vector<pid_t> workers;
  for (unsigned i = 0; i < cores(); ++i) {
    const pid_t worker = fork();
    if (worker == 0) {
      work(shared);
      _exit(0);
    }
    workers.push_back(worker);
  }
  for (const pid_t worker : workers) {
    waitpid(worker, nullptr, 0);
  }
}

void in_the_loop(Shared& shared) {
  for (int task = 0; task < kTasks; ++task) {
    shared.result += compute(static_cast<uint64_t>(task));
  }
}

struct Run {
  bool is_done = false;
  Clock::duration time{};
};

Task compute_in_the_loop(Loop& loop, Shared& shared, Run& run) {
  co_await loop.timer(200ms);
  const Clock::time_point begin = Clock::now();
  in_the_loop(shared);
  run.time = Clock::now() - begin;
  co_await loop.timer(200ms);
  run.is_done = true;
}

// Waits for a pool as a loop does: it looks whether the pool is done, and goes on with its work.
template <typename Pool>
Task compute_in_pool(Loop& loop, Shared& shared, Pool pool, Run& run) {
  co_await loop.timer(200ms);
  const Clock::time_point begin = Clock::now();
  std::atomic<bool> pool_is_done = false;
  const std::jthread manager([&] {
    pool(shared);
    pool_is_done = true;
  });
  while (!pool_is_done) {
    co_await loop.timer(5ms);
  }
  run.time = Clock::now() - begin;
  run.is_done = true;
}

template <typename Start>
void measure(const char* way, Shared& shared, Start start) {
  shared.next = 0;
  shared.result = 0;
  Loop loop;
  Run run;
  milliseconds longest{};
  const Task beat = heartbeat(loop, run.is_done, longest);
  const Task task = start(loop, run);
  loop.run();
  std::printf("%-12s %6lld ms %24lld ms   (%016llx)\n", way,
              static_cast<long long>(std::chrono::duration_cast<milliseconds>(run.time).count()),
              static_cast<long long>(longest.count()),
              static_cast<unsigned long long>(shared.result.load()));
}

}  // namespace

int main() {
  void* const memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("process_pool: can't map memory");
    return 1;
  }
  Shared& shared = *new (memory) Shared;
  std::printf("%d tasks, %u cores\n", kTasks, cores());
  std::printf("%-12s %9s %27s\n", "way", "time", "longest wait of the loop");
  std::fflush(stdout);  // before the processes fork
  measure("in the loop", shared,
          [&](Loop& loop, Run& run) { return compute_in_the_loop(loop, shared, run); });
  measure("threads", shared,
          [&](Loop& loop, Run& run) { return compute_in_pool(loop, shared, on_threads, run); });
  measure("processes", shared,
          [&](Loop& loop, Run& run) { return compute_in_pool(loop, shared, in_processes, run); });
}
