// Callbacks that wait for another thread.

#include <pthread.h>
#include <threads.h>

#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <thread>

#include "demos/echo/callbacks.h"
#include "demos/echo/later.h"

namespace tailback::demo {
namespace {

// A result that another thread will bring, as C programs write it.
class Result {
 public:
  ~Result() {
    pthread_cond_destroy(&arrived_);
    pthread_mutex_destroy(&mutex_);
  }

  void bring() {
    pthread_mutex_lock(&mutex_);
    here_ = true;
    pthread_cond_signal(&arrived_);
    pthread_mutex_unlock(&mutex_);
  }
  void await() {
    pthread_mutex_lock(&mutex_);
    while (!here_) {
      // EXPECT stall on="wait condition" cause=wait call=pthread_cond_wait function=await
      pthread_cond_wait(&arrived_, &mutex_);
    }
    pthread_mutex_unlock(&mutex_);
  }

  void await_until(const timespec& deadline) {
    pthread_mutex_lock(&mutex_);
    while (!here_) {
      // EXPECT stall on="wait timed_condition" cause=wait call=pthread_cond_timedwait
      // function=await_until
      if (pthread_cond_timedwait(&arrived_, &mutex_, &deadline) != 0) {
        break;
      }
    }
    pthread_mutex_unlock(&mutex_);
  }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t arrived_ = PTHREAD_COND_INITIALIZER;
  bool here_ = false;
};

void block_in_condition(Milliseconds length) {
  Result result;
  const Later worker(length, [&result] { result.bring(); });
  result.await();
}

void block_in_timed_condition(Milliseconds length) {
  Result result;
  result.await_until(deadline_on(CLOCK_REALTIME, length));
}

void block_in_condition_variable(Milliseconds length) {
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock(mutex);
  // EXPECT stall on="wait condition_variable" cause=wait call=pthread_cond_clockwait
  // function=block_in_condition_variable
  condition.wait_for(lock, length, [] { return false; });
}

void* sleep_for(void* length) {
  std::this_thread::sleep_for(*static_cast<Milliseconds*>(length));
  return nullptr;
}

void block_in_join(Milliseconds length) {
  pthread_t worker{};
  if (pthread_create(&worker, nullptr, sleep_for, &length) != 0) {
    return;
  }
  // EXPECT stall on="wait join" cause=wait call=pthread_join function=block_in_join
  pthread_join(worker, nullptr);
}

void block_in_future(Milliseconds length) {
  std::promise<int> promise;
  const Later worker(length, [&promise] { promise.set_value(1); });
  // EXPECT stall on="wait future" cause=wait call=syscall|futex function=block_in_future
  promise.get_future().get();
}

void block_in_barrier(Milliseconds length) {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 2);
  {
    const Later other(length, [&barrier] { pthread_barrier_wait(&barrier); });
    // EXPECT stall on="wait barrier" cause=wait call=pthread_barrier_wait function=block_in_barrier
    pthread_barrier_wait(&barrier);
  }
  pthread_barrier_destroy(&barrier);
}

// Two threads want something set up; the other one came first.
void block_in_once(Milliseconds length) {
  static pthread_once_t once;
  static Milliseconds set_up_length;
  static std::latch* begun;
  std::latch began(1);
  once = PTHREAD_ONCE_INIT;
  set_up_length = length;
  begun = &began;
  const auto set_up = [] {
    begun->count_down();
    std::this_thread::sleep_for(set_up_length);
  };
  const Later other(Milliseconds(0), [set_up] { pthread_once(&once, set_up); });
  began.wait();
  // EXPECT stall on="wait once" cause=wait call=pthread_once function=block_in_once
  pthread_once(&once, set_up);
}

void block_in_c11_condition(Milliseconds length) {
  mtx_t mutex;
  cnd_t condition;
  mtx_init(&mutex, mtx_timed);
  cnd_init(&condition);
  mtx_lock(&mutex);
  const timespec deadline = deadline_on(CLOCK_REALTIME, length);
  // EXPECT stall on="wait c11_condition" cause=wait call=cnd_timedwait
  // function=block_in_c11_condition
  cnd_timedwait(&condition, &mutex, &deadline);
  mtx_unlock(&mutex);
  cnd_destroy(&condition);
  mtx_destroy(&mutex);
}

constexpr Callback kCallbacks[] = {
    {"wait", "barrier", block_in_barrier},
    {"wait", "once", block_in_once},
    {"wait", "c11_condition", block_in_c11_condition},
    {"wait", "condition", block_in_condition},
    {"wait", "timed_condition", block_in_timed_condition},
    {"wait", "condition_variable", block_in_condition_variable},
    {"wait", "join", block_in_join},
    {"wait", "future", block_in_future},
};

}  // namespace

std::span<const Callback> thread_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
