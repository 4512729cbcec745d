// The kernel's accounting of the calling thread.
#pragma once

#include <cstdint>

namespace tailback::accuracy {

struct ThreadTimes {
  int64_t on_cpu_ns = 0;
  int64_t runnable_ns = 0;  // ready to run, waiting for a CPU
};

// For the thread that has made it.
class ThreadClock {
 public:
  ThreadClock();
  ~ThreadClock();
  ThreadClock(const ThreadClock&) = delete;
  ThreadClock& operator=(const ThreadClock&) = delete;

  ThreadTimes read() const;

 private:
  int fd_;
};

}  // namespace tailback::accuracy
