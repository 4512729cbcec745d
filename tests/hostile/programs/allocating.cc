// Allocates from many threads; run with locking_allocator.cc preloaded.
#include <dlfcn.h>

#include <string>
#include <vector>

#include "program.h"

using namespace hostile;

namespace {

void* allocate(void* result) {
  std::vector<std::string> texts;
  for (int i = 0; i < 2000; ++i)
    texts.push_back("a text that is too long for a string: " + std::to_string(i));
  size_t length = 0;
  for (const std::string& text : texts) length += text.size();
  *static_cast<size_t*>(result) = length;
  return nullptr;
}

}  // namespace

int main() {
  const auto calls = reinterpret_cast<long (*)()>(dlsym(RTLD_DEFAULT, "locking_allocator_calls"));
  verdict("the allocator is there", calls != nullptr);
  verdict("it was called before main", calls && calls() > 0);
  size_t results[8];
  pthread_t threads[8];
  for (int i = 0; i < 8; ++i) pthread_create(&threads[i], nullptr, allocate, &results[i]);
  size_t sum = 0;
  for (int i = 0; i < 8; ++i) {
    pthread_join(threads[i], nullptr);
    sum += results[i];
  }
  say("length %zu\n", sum);
  Loop loop;
  loop.warm_up();
  loop.run(3, [](int) {
    const int64_t end = now_ns() + 25000000;
    size_t length = 0;
    while (now_ns() < end) allocate(&length);
  });
  const pid_t child = fork();
  if (child == 0) {
    size_t length = 0;
    allocate(&length);
    say("length %zu\n", length);
    _exit(18);
  }
  say_ending("child", wait_for(child));
  say("done\n");
}
