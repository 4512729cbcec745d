// Callbacks that wait for another thread.

#include <pthread.h>

#include <condition_variable>
#include <future>
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

constexpr Callback kCallbacks[] = {
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
