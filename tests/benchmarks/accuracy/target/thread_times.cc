#include "tests/benchmarks/accuracy/target/thread_times.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

namespace tailback::accuracy {

ThreadClock::ThreadClock() : fd_(open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}

ThreadClock::~ThreadClock() {
  if (fd_ >= 0) close(fd_);
}

ThreadTimes ThreadClock::read() const {
  ThreadTimes times;
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  times.on_cpu_ns = static_cast<int64_t>(used.tv_sec) * 1'000'000'000 + used.tv_nsec;
  char text[96] = {};
  if (pread(fd_, text, sizeof text - 1, 0) <= 0) return times;
  char* rest = nullptr;
  strtoll(text, &rest, 10);  // time on CPU, as of the last tick
  times.runnable_ns = strtoll(rest, nullptr, 10);
  return times;
}

}  // namespace tailback::accuracy
