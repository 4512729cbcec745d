// DEMO spawn_overhead: a process for each task of 10 ms, against a thread pool
//
// A process is made, loads its libraries, runs for 10 ms and is buried; a thread of a pool is just
// told what to do next. Under Tailback a process costs somewhat more than without, for the recorder
// is loaded, too. There is no event loop here.
//
// EXPECT nothing

#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>

namespace {

constexpr int kTasks = 40;

// As long as this thread has used 10 ms of CPU.
void compute_for_10_ms() {
  const auto used = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
  };
  const long end = used() + 10'000'000;
  while (used() < end) {
  }
}

// One thread that does what it is told.
class Worker {
 public:
  void run_a_task() {
    std::unique_lock lock(mutex_);
    is_asked_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !is_asked_; });
  }

 private:
  void serve(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return is_asked_; })) {
      compute_for_10_ms();
      is_asked_ = false;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool is_asked_ = false;
  std::jthread thread_{[this](const std::stop_token& stop) { serve(stop); }};
};

void run_a_process() {
  char program[] = "/proc/self/exe";
  char task[] = "task";
  char* const arguments[] = {program, task, nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, program, nullptr, nullptr, arguments, environ) == 0) {
    waitpid(child, nullptr, 0);
  }
}

void fork_a_process() {
  const pid_t child = fork();
  if (child == 0) {
    compute_for_10_ms();
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

template <typename Function>
void measure(const char* way, Function run_one) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kTasks; ++i) {
    run_one();
  }
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
  const double of_a_task = time.count() / kTasks;
  std::printf("%-16s %7.2f ms a task, %6.3f ms more than its work\n", way, of_a_task,
              of_a_task - 10);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "task") == 0) {
    compute_for_10_ms();
    return 0;
  }
  std::printf("%d tasks of 10 ms, one after another\n", kTasks);
  std::fflush(stdout);
  measure("new processes", run_a_process);
  measure("forked processes", fork_a_process);
  Worker worker;
  measure("thread pool", [&worker] { worker.run_a_task(); });
}
