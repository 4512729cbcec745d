#include "tests/benchmarks/memory_growth.h"

#include <sys/resource.h>

#include <cstdio>

namespace {

long resident() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

void say_growth(const std::function<void()>& read_stack) {
  for (int i = 0; i < 1000; ++i) read_stack();
  const long before = resident();
  for (int i = 0; i < 50000; ++i) read_stack();
  std::printf("50,000 stacks: %ld KiB more\n", resident() - before);
}
