// From a snapshot to return addresses. Two engines stand behind this interface: libunwind, and
// libdw where libunwind's frames do not reach the thread's start.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/capture/snapshot.h"

namespace tailback {

struct RawFrame {
  RemoteAddress address;   // instruction pointer of this frame
  bool after_call = true;  // a return address: the call is the instruction before it. False for
                           // one that a signal interrupted and, mostly, for the innermost frame
  RemoteAddress stack_pointer;  // of this frame
};

struct RawStack {
  std::vector<RawFrame> frames;  // innermost first
  bool complete = false;         // unwinding ended at the start of the thread
};

class Unwinder {
 public:
  virtual ~Unwinder() = default;
  virtual RawStack unwind(const Snapshot& snapshot) = 0;

  static constexpr size_t kMaxFrames = 256;
};

// Engines. One object serves one thread of the observer. Each keeps what it has learnt of a module
// (by device and inode) for the next stack.
std::unique_ptr<Unwinder> make_libunwind_unwinder();
std::unique_ptr<Unwinder> make_libdw_unwinder();
// The first engine's answer where it is complete, else the longer of both.
std::unique_ptr<Unwinder> make_unwinder();

}  // namespace tailback
