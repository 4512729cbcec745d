// Whether the threads of a process share an event loop.
#pragma once

namespace tailback {

enum class LoopSharing {
  kAlone,   // no other thread waits for events at this thread's epoll instance
  kShared,  // others have waited there
  kServed,  // others wait there now, or have since this thread's iteration began: the loop goes on
};

}  // namespace tailback
