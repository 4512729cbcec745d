// Another thread that holds a lock.
#pragma once

#include <latch>
#include <thread>

#include "demos/echo/callbacks.h"

namespace tailback::demo {

// Another thread that takes a lock at once, and keeps it for a while.
template <typename Lock, typename Unlock>
class Holder {
 public:
  Holder(Milliseconds length, Lock lock, Unlock unlock)
      : thread_([this, length, lock, unlock] {
          lock();
          taken_.count_down();
          std::this_thread::sleep_for(length);
          unlock();
        }) {
    taken_.wait();
  }

 private:
  std::latch taken_{1};
  std::jthread thread_;
};

}  // namespace tailback::demo
