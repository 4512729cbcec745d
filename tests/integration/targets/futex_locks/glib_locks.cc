// GLib's main loop, which waits for a GMutex that another thread holds in a sleep.
#include <glib.h>
#include <stdio.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>

#include "tests/integration/targets/locks/named_thread.h"

namespace {

GMutex cache_lock;
GMutex log_lock;
GRWLock table_lock;
GRecMutex recursive_lock;
GMutex news_lock;
GCond news;
bool held = false;

constexpr int kIterations = 200;

__attribute__((noinline)) void wait_for_mutex() {
  g_mutex_lock(&cache_lock);  // mutex
  g_mutex_unlock(&cache_lock);
}

__attribute__((noinline)) void wait_for_log() {
  g_mutex_lock(&log_lock);  // deadlock
  g_mutex_unlock(&log_lock);
}

__attribute__((noinline)) void wait_to_write() {
  g_rw_lock_writer_lock(&table_lock);  // rwlock
  g_rw_lock_writer_unlock(&table_lock);
}

// Calls `callback(iteration)` every 5 ms.
void run_iterations(const std::function<void(int iteration)>& callback) {
  struct Iterations {
    const std::function<void(int iteration)>& callback;
    GMainLoop* loop;
    int iteration;
  } iterations{callback, g_main_loop_new(nullptr, FALSE), 0};
  const auto on_timeout = [](gpointer data) -> gboolean {
    Iterations& own = *static_cast<Iterations*>(data);
    own.callback(own.iteration);
    if (++own.iteration < kIterations) return TRUE;
    g_main_loop_quit(own.loop);
    return FALSE;
  };
  g_timeout_add(5, on_timeout, &iterations);
  g_main_loop_run(iterations.loop);
  g_main_loop_unref(iterations.loop);
}

// Tells who waits for news that the lock is held, and keeps it.
void keep() {
  g_mutex_lock(&news_lock);
  held = true;
  g_cond_signal(&news);
  g_mutex_unlock(&news_lock);
  usleep(300'000);
}

void wait_until_held() {
  g_mutex_lock(&news_lock);
  while (!held) g_cond_wait(&news, &news_lock);
  g_mutex_unlock(&news_lock);
}

// In one of the iterations waits, by `wait`, for what the thread "keeper" holds in `hold`.
template <typename Hold, typename Wait>
void long_iteration(Hold hold, Wait wait) {
  std::thread keeper;
  run_iterations([&](int iteration) {
    if (iteration != 40) return;
    keeper = named_thread("keeper", hold);
    wait_until_held();
    const auto begin = std::chrono::steady_clock::now();
    wait();
    const std::chrono::duration<double, std::milli> length =
        std::chrono::steady_clock::now() - begin;
    printf("blocked %d %.3f\n", getpid(), length.count());
  });
  keeper.join();
}

void mutex() {
  long_iteration(
      [] {
        g_mutex_lock(&cache_lock);
        keep();
        g_mutex_unlock(&cache_lock);
      },
      wait_for_mutex);
}

void rwlock() {
  long_iteration(
      [] {
        g_rw_lock_writer_lock(&table_lock);
        keep();
        g_rw_lock_writer_unlock(&table_lock);
      },
      wait_to_write);
}

// Workers and the loop take the same locks in the same order.
void take_all() {
  g_rec_mutex_lock(&recursive_lock);
  g_rec_mutex_lock(&recursive_lock);
  wait_for_mutex();
  wait_to_write();
  g_rec_mutex_unlock(&recursive_lock);
  g_rec_mutex_unlock(&recursive_lock);
}

void healthy() {
  GThreadPool* const pool = g_thread_pool_new(
      [](gpointer, gpointer) {
        take_all();
        g_mutex_lock(&cache_lock);
        usleep(300);
        g_mutex_unlock(&cache_lock);
      },
      nullptr, 4, TRUE, nullptr);
  GAsyncQueue* const results = g_async_queue_new();
  std::thread answerer = named_thread("answerer", [&] {
    for (int i = 0; i < kIterations; ++i) g_async_queue_push(results, GINT_TO_POINTER(i + 1));
  });
  run_iterations([&](int iteration) {
    take_all();
    while (g_async_queue_try_pop(results) != nullptr) continue;
    // Most of the time the pool has no work.
    if (iteration % 50 >= 10) return;
    for (int i = 1; i <= 4; ++i) g_thread_pool_push(pool, GINT_TO_POINTER(i), nullptr);
  });
  answerer.join();
  g_async_queue_unref(results);
  g_thread_pool_free(pool, FALSE, TRUE);
}

// Two mutexes in two orders, one after the other.
void two_orders() {
  const auto take = [](GMutex* first, GMutex* second) {
    g_mutex_lock(first);
    g_mutex_lock(second);
    g_mutex_unlock(second);
    g_mutex_unlock(first);
  };
  run_iterations([&](int iteration) {
    if (iteration == 40) named_thread("forwards", [&] { take(&cache_lock, &log_lock); }).join();
    if (iteration == 60) named_thread("backwards", [&] { take(&log_lock, &cache_lock); }).join();
  });
}

// The loop and another thread take two locks, each in its own order.
void deadlock() {
  std::thread other;
  run_iterations([&](int iteration) {
    if (iteration != 40) return;
    g_mutex_lock(&cache_lock);
    other = named_thread("other", [] {
      g_mutex_lock(&log_lock);
      keep();
      wait_for_mutex();
    });
    wait_until_held();
    printf("ready\n");
    fflush(stdout);
    wait_for_log();
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "healthy") healthy();
  if (what == "mutex") mutex();
  if (what == "rwlock") rwlock();
  if (what == "two-orders") two_orders();
  if (what == "deadlock") deadlock();
  return 0;
}
