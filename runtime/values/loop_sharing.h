// Whether the threads of a process share an event loop.
#pragma once

namespace tailback {

enum class LoopSharing {
  kAlone,   // no other thread waits for events at this thread's epoll instance
  kShared,  // others have waited there
  // Others wait there now, or have since this thread's iteration began: the loop goes on. Or this
  // thread, which is no main thread, only polls the instance, with a timeout of 0, so that it waits
  // elsewhere for work.
  kServed,
};

}  // namespace tailback
