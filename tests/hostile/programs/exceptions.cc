// Exceptions thrown through callbacks of libc near intercepted calls, out of threads, and by
// pthread_exit.
#include <dirent.h>
#include <search.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "program.h"

using namespace hostile;

namespace {

Pipe working;

void use_calls() {
  char byte = 'a';
  (void)!write(working.in(), &byte, 1);
  (void)!read(working.out(), &byte, 1);
  const timespec moment = {0, 1000};
  nanosleep(&moment, nullptr);
}

int compare(const void* a, const void* b) {
  use_calls();
  const int left = *static_cast<const int*>(a);
  const int right = *static_cast<const int*>(b);
  if (left == 5 || right == 5) throw std::runtime_error("five");
  return left - right;
}

pthread_once_t once = PTHREAD_ONCE_INIT;
int attempts = 0;
void initialize() {
  use_calls();
  if (++attempts < 3) throw std::runtime_error("attempt " + std::to_string(attempts));
}

template <typename Body>
void catching(const char* name, Body body) {
  try {
    body();
    say("%s: nothing thrown\n", name);
  } catch (const std::exception& error) {
    use_calls();
    say("%s: %s\n", name, error.what());
  }
}

struct Last {
  ~Last() {
    use_calls();
    say("a thread's last word\n");
  }
};
thread_local Last last;

void* exit_deeply(void*) {
  (void)&last;
  struct Unwound {
    ~Unwound() {
      use_calls();
      say("unwound\n");
    }
  } unwound;
  use_calls();
  pthread_exit(reinterpret_cast<void*>(7));
}

}  // namespace

int main(int argc, char**) {
  for (int i = 0; i < 3; ++i) {
    int numbers[] = {9, 3, 5, 1};
    catching("qsort", [&] { qsort(numbers, 4, sizeof(int), compare); });
    int key = 5;
    catching("bsearch", [&] { (void)bsearch(&key, numbers, 4, sizeof(int), compare); });
    catching("pthread_once", [] { pthread_once(&once, initialize); });
  }
  std::mutex mutex;
  catching("in a lock", [&] {
    const std::lock_guard guard(mutex);
    use_calls();
    throw std::logic_error("locked");
  });
  catching("try again", [&] { const std::lock_guard guard(mutex); });
  std::string caught;
  std::thread([&] {
    (void)&last;
    try {
      use_calls();
      throw std::runtime_error("in a thread");
    } catch (const std::exception& error) {
      caught = error.what();
    }
  }).join();
  say("%s\n", caught.c_str());
  pthread_t thread;
  void* result = nullptr;
  pthread_create(&thread, nullptr, exit_deeply, nullptr);
  pthread_join(thread, &result);
  say("exited with %ld\ndone\n", reinterpret_cast<long>(result));
  if (argc > 1) {
    // Nobody catches it: the program aborts where it was thrown.
    std::thread([] {
      use_calls();
      throw std::runtime_error("uncaught");
    }).join();
  }
}
