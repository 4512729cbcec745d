// DEMO unsafe_shared_list: four threads append to one vector without a lock (with ThreadSanitizer)
// DEMO unsafe_shared_list_plain: the same, compiled as it is shipped: items are lost, silently
//
// In Python list.append is one step: the interpreter's lock is held for all of it. In C++
// push_back() finds the end, writes there and moves the end: two threads that find the same end
// write to the same place, and one item is lost. Room is reserved beforehand, for a vector that
// grows under another thread's hands crashes. safe_shared_list is the same program, put right.
//
// EXPECT nothing of=unsafe_shared_list_plain

#include <cstdio>
#include <vector>

#include "demos/counter/threads.h"

namespace {

#ifdef __SANITIZE_THREAD__
constexpr int kItems = 5'000;  // races on new addresses are slow to look into
#else
constexpr int kItems = 500'000;
#endif

std::vector<int> shared_list;

void append(int item) {
  // EXPECT race of=unsafe_shared_list function=append
  shared_list.push_back(item);
}

void fill() {
  for (int i = 0; i < kItems; ++i) {
    append(i);
  }
}

}  // namespace

int main() {
  const size_t expected = size_t{tailback::demo::kThreads} * kItems;
  shared_list.reserve(expected);
  tailback::demo::on_all_threads(fill);
  std::printf("%zu of %zu items: %zu are lost\n", shared_list.size(), expected,
              expected - shared_list.size());
}
