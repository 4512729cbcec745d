// Coroutines that say of themselves when they are made, begin and are dropped. The first argument
// names what is done with them.
#include <sys/wait.h>
#include <unistd.h>

#include <coroutine>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "instrument/annotations/tailback.h"

namespace {

int begun = 0;

// Begins when it is run, and never again.
template <typename Result>
class Lazy {
 public:
  struct promise_type : tailback::LazyPromise {
    Lazy get_return_object() {
      return Lazy(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_value(Result value) { result = value; }
    void unhandled_exception() { std::terminate(); }

    Result result{};
  };

  explicit Lazy(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Lazy(Lazy&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Lazy& operator=(Lazy&&) = delete;
  ~Lazy() {
    if (handle_) handle_.destroy();
  }

  Result run() {
    handle_.resume();
    return handle_.promise().result;
  }

 private:
  std::coroutine_handle<promise_type> handle_;
};

Lazy<int> work(int value) {
  ++begun;
  co_return value;
}

Lazy<int> make_one(int value) {
  return work(value);
}

void await_each(int count) {
  for (int i = 0; i < count; ++i) work(i).run();
}

void drop_each(int count) {
  for (int i = 0; i < count; ++i) make_one(i);
}

// More at once than are followed.
void await_all(int count) {
  std::vector<Lazy<int>> all;
  for (int i = 0; i < count; ++i) all.push_back(work(i));
  for (Lazy<int>& one : all) one.run();
}

void drop_on_a_thread() {
  auto one = std::make_unique<Lazy<int>>(make_one(1));
  std::thread([&one] { one.reset(); }).join();
}

// The child has a copy, and drops it, too.
void drop_after_fork() {
  auto one = std::make_unique<Lazy<int>>(make_one(1));
  const pid_t child = fork();
  if (child == 0) {
    one.reset();
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  one->run();
}

}  // namespace

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (std::strcmp(what, "await each") == 0) await_each(20000);
  if (std::strcmp(what, "await all") == 0) await_all(6000);
  if (std::strcmp(what, "drop each") == 0) drop_each(100);
  if (std::strcmp(what, "drop on a thread") == 0) drop_on_a_thread();
  if (std::strcmp(what, "drop after fork") == 0) drop_after_fork();
  std::printf("%d begun\n", begun);
}
