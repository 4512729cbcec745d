// Whether the event loop of an iteration is over, proven by the program's code: from where the
// thread stands, control can't get back to where it waited for events. What runs then is no
// callback: the program saves its state and ends. Not thread-safe.
#pragma once

#include <deque>
#include <map>
#include <tuple>

#include "runtime/capture/module_files.h"
#include "runtime/control_flow/reachability.h"
#include "runtime/detectors/observation.h"
#include "runtime/unwind/unwinder.h"

namespace tailback {

class LoopEnds {
 public:
  virtual ~LoopEnds() = default;

  // Keeps where a thread stood in its wait. Of each wait the last few are kept.
  void learn(const LoopWaitSeen& wait, RawStack stack);

  // Whether the loop of the stall's iteration is over in this stack, of one of its samples. Both
  // stacks are compared from the outermost frame inwards, up to the function in which the way to
  // the wait and the way to here part. That can't get to the wait from here, and none of those
  // around it calls it once more. False wherever there is doubt: no wait was seen, a stack has no
  // end, a function jumps by a register, may be returned to by longjmp, or can't be read.
  virtual bool proves(const StallSeen& stall, const Sample& sample, const RawStack& stack);

 private:
  struct SeenWait {
    LoopWait place;
    RawStack stack;
  };
  struct SeenWaits {
    std::deque<SeenWait> latest;  // at the end the last
    uint64_t used = 0;
  };
  using WaitKey = std::tuple<int, int, uint64_t>;  // pid, tid, the wait's
  // A module, the place in it, the call, and which question.
  enum class Question { kCall, kCallLike, kCallThatMayBeLike, kItself };
  using Asked = std::tuple<ModuleFiles::Key, uint64_t, bool, uint64_t, Question>;

  // One comparison of two stacks.
  struct Comparison;

  // The last one before the iteration, at the same place and depth; nullptr if it was not seen
  // there.
  const SeenWait* wait_before(const StallSeen& stall);
  bool is_no(int pid, const ModuleMap& modules, const RawFrame& from, RemoteAddress return_address,
             Question question);
  bool returns_once(const ModuleFiles::Place& place);
  bool calls_once(const Comparison& at);
  bool is_same_module(const Comparison& at, const RawFrame& one, const RawFrame& other);
  bool waits_no_more(const Comparison& at, const LoopWait& wait);
  // Of the frame in which the ways part, and of those that are further in.
  bool comes_by_no_other_way(const Comparison& at);
  bool holds_no_other_loop(const Comparison& at);

  ModuleFiles files_;
  Reachability reachability_;
  std::map<WaitKey, SeenWaits> waits_;
  std::map<Asked, bool> answers_;
  std::map<ModuleFiles::Key, bool> returns_once_;
  uint64_t clock_ = 0;
};

}  // namespace tailback
