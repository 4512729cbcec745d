// Just enough of a coroutine library to show an event loop: tasks, and a timer to await.
#pragma once

#include <chrono>
#include <coroutine>
#include <exception>
#include <utility>

namespace tailback::demo {

// A coroutine that starts at once and can be awaited. Its frame lives as long as the Task.
class Task {
 public:
  struct promise_type {
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_never initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct ResumeWaiter {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> done) noexcept {
          const std::coroutine_handle<> waiter = done.promise().waiter;
          return waiter ? waiter : std::noop_coroutine();
        }
        void await_resume() noexcept {}
      };
      return ResumeWaiter{};
    }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }

    std::coroutine_handle<> waiter;
  };

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) {
      handle_.destroy();
    }
  }

  bool await_ready() const { return handle_.done(); }
  void await_suspend(std::coroutine_handle<> waiter) { handle_.promise().waiter = waiter; }
  void await_resume() {}

 private:
  std::coroutine_handle<promise_type> handle_;
};

// One epoll set. Single-threaded.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // co_await loop.timer(d): comes back when `d` has passed. Other coroutines run meanwhile.
  auto timer(std::chrono::milliseconds delay) {
    struct Timer {
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> waiter) const { loop.arm(delay, waiter); }
      void await_resume() const {}
      Loop& loop;
      std::chrono::milliseconds delay;
    };
    return Timer{*this, delay};
  }

  // Waits for timers and resumes who awaits them, until nobody does.
  void run();

 private:
  void arm(std::chrono::milliseconds delay, std::coroutine_handle<> waiter);

  int epoll_;
  int armed_ = 0;
};

}  // namespace tailback::demo
