// What ends a block on the loop's thread: an action in a thread of its own, some time later.
#pragma once

#include <functional>
#include <thread>

#include "demos/echo/callbacks.h"

namespace tailback::demo {

class Later {
 public:
  // Runs `action` once `delay` has passed. The destructor waits for it.
  Later(Milliseconds delay, std::function<void()> action);

 private:
  std::jthread thread_;
};

}  // namespace tailback::demo
