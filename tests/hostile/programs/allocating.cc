// Allocates from many threads; run with locking_allocator.cc preloaded.
#include <dlfcn.h>

#include <string>
#include <vector>

#include "allocations.h"

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
  allocate_in_threads(allocate);
  allocate_in_loop(allocate);
  allocate_in_child(allocate);
  say("done\n");
}
