// A loop whose one long iteration waits for a lock of Abseil's, which another thread holds in a
// sleep; or for which it waits for ever.
#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>
#include <stdio.h>
#include <unistd.h>

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "tests/integration/targets/locks/named_thread.h"
#include "tests/integration/targets/one_long_iteration.h"

namespace {

absl::Mutex cache_lock;
absl::Mutex log_lock;
bool has_news = false;

void keep() {
  usleep(300'000);
}

__attribute__((noinline)) void wait_for_mutex() {
  absl::MutexLock held(&cache_lock);  // mutex
}

__attribute__((noinline)) void wait_for_log() {
  absl::MutexLock held(&log_lock);  // deadlock
}

__attribute__((noinline)) void wait_to_read() {
  absl::ReaderMutexLock held(&cache_lock);  // readers
}

__attribute__((noinline)) void wait_for_news() {
  cache_lock.LockWhen(absl::Condition(&has_news));  // condition
  cache_lock.Unlock();
}

// One iteration that waits, by `wait`, for what the thread "keeper" holds in `hold`.
template <typename Hold, typename Wait>
void long_iteration(Hold hold, Wait wait) {
  std::thread keeper;
  absl::Notification held;
  run_loop(
      [&] {
        keeper = named_thread("keeper", [&] { hold(held); });
        held.WaitForNotification();
      },
      wait);
  keeper.join();
}

void against_writer(void (*wait)()) {
  long_iteration(
      [](absl::Notification& held) {
        absl::MutexLock lock(&cache_lock);
        held.Notify();
        keep();
      },
      wait);
}

void condition() {
  long_iteration(
      [](absl::Notification& held) {
        held.Notify();
        keep();
        absl::MutexLock lock(&cache_lock);
        has_news = true;
      },
      wait_for_news);
}

// The loop waits for a mutex of pthread's; who has that waits for one of Abseil's.
void chain() {
  static std::mutex own_lock;
  std::thread flusher;
  std::thread keeper;
  absl::Notification held;
  absl::Notification taken;
  run_loop(
      [&] {
        keeper = named_thread("keeper", [&] {
          absl::MutexLock lock(&cache_lock);
          held.Notify();
          keep();
        });
        held.WaitForNotification();
        flusher = named_thread("flusher", [&] {
          const std::lock_guard lock(own_lock);
          taken.Notify();
          wait_for_mutex();
        });
        taken.WaitForNotification();
      },
      [] {
        own_lock.lock();  // chain
        own_lock.unlock();
      });
  flusher.join();
  keeper.join();
}

// Locks that are free or held by others for a moment, beside workers who rest most of the time.
void healthy() {
  absl::Mutex lock;
  absl::CondVar filled;
  std::deque<int> jobs;
  bool closed = false;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.push_back(named_thread("worker", [&] {
      for (;;) {
        lock.Lock();
        while (jobs.empty() && !closed) filled.Wait(&lock);
        const bool is_over = jobs.empty();
        if (!is_over) jobs.pop_front();
        lock.Unlock();
        if (is_over) return;
        absl::MutexLock held(&cache_lock);
        usleep(300);
      }
    }));
  }
  int iteration = 0;
  run_short_iterations(300, [&] {
    wait_for_mutex();
    wait_to_read();
    // Most of the time there is no work.
    if (++iteration % 50 >= 10) return;
    absl::MutexLock held(&lock);
    jobs.insert(jobs.end(), 2, iteration);
    filled.SignalAll();
  });
  {
    absl::MutexLock held(&lock);
    closed = true;
    filled.SignalAll();
  }
  for (std::thread& worker : workers) worker.join();
}

// The loop and another thread take two locks, each in its own order.
void deadlock() {
  // Abseil's own detection, which builds for debugging have, would end the program.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  std::thread other;
  absl::Notification left;
  absl::Notification right;
  run_loop(
      [&] {
        cache_lock.Lock();
        other = named_thread("other", [&] {
          absl::MutexLock held(&log_lock);
          right.Notify();
          left.WaitForNotification();
          wait_for_mutex();
        });
        right.WaitForNotification();
        left.Notify();
        printf("ready\n");
        fflush(stdout);
      },
      wait_for_log);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "healthy") healthy();
  if (what == "mutex") against_writer(wait_for_mutex);
  if (what == "readers") against_writer(wait_to_read);
  if (what == "condition") condition();
  if (what == "chain") chain();
  if (what == "deadlock") deadlock();
  return 0;
}
