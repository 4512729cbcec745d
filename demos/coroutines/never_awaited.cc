// DEMO never_awaited: a coroutine is called and not awaited: its body never runs
//
// A coroutine that begins when it is awaited does nothing when it is only called; no compiler and
// no run says so. Its promise_type has tailback::LazyPromise for a base, so the report names the
// place that made it. Without Tailback the base costs a load and a test; `co_await save(2)` is the
// same call, put right.

#include <coroutine>
#include <cstdio>
#include <exception>
#include <utility>

#include "demos/coroutines/loop.h"
#include "instrument/annotations/tailback.h"

using namespace std::chrono_literals;
using tailback::demo::Loop;
using tailback::demo::Task;

namespace {

// A coroutine that begins when it is awaited.
class Lazy {
 public:
  struct promise_type : tailback::LazyPromise {
    Lazy get_return_object() {
      return Lazy(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    auto final_suspend() noexcept {
      struct ResumeWaiter {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> done) noexcept {
          return done.promise().waiter;
        }
        void await_resume() noexcept {}
      };
      return ResumeWaiter{};
    }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }

    std::coroutine_handle<> waiter;
  };

  explicit Lazy(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Lazy(Lazy&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Lazy& operator=(Lazy&&) = delete;
  ~Lazy() {
    if (handle_) {
      handle_.destroy();
    }
  }

  bool await_ready() const { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
    handle_.promise().waiter = waiter;
    return handle_;
  }
  void await_resume() {}

 private:
  std::coroutine_handle<promise_type> handle_;
};

Lazy save(int order) {
  std::printf("order %d is saved\n", order);
  co_return;
}

Task sell(Loop& loop) {
  co_await loop.timer(50ms);
  // EXPECT never-awaited function=save
  save(1);
  co_await save(2);
}

}  // namespace

int main() {
  Loop loop;
  const Task selling = sell(loop);
  loop.run();
}
