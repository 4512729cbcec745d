// DEMO safe_shared_list: four threads append to one vector under a mutex (with ThreadSanitizer)
// DEMO safe_shared_list_plain: the same, compiled as it is shipped
//
// What Python's interpreter does for list.append, a mutex does here.
//
// EXPECT nothing

#include <cstdio>
#include <mutex>
#include <vector>

#include "demos/counter/threads.h"

namespace {

constexpr int kItems = 50'000;

std::vector<int> shared_list;
std::mutex shared_list_mutex;

void append(int item) {
  const std::lock_guard lock(shared_list_mutex);
  shared_list.push_back(item);
}

void fill() {
  for (int i = 0; i < kItems; ++i) {
    append(i);
  }
}

}  // namespace

int main() {
  tailback::demo::on_all_threads(fill);
  const size_t expected = size_t{tailback::demo::kThreads} * kItems;
  std::printf("%zu of %zu items\n", shared_list.size(), expected);
}
