#include "demos/echo/later.h"

#include <utility>

namespace tailback::demo {

Later::Later(Milliseconds delay, std::function<void()> action)
    : thread_([delay, action = std::move(action)] {
        std::this_thread::sleep_for(delay);
        action();
      }) {}

}  // namespace tailback::demo
