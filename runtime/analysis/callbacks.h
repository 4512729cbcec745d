// Which callbacks the samples of an iteration show. Where a stack leaves that of the loop's wait,
// the loop has dispatched a callback.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "runtime/analysis/read_samples.h"
#include "runtime/detectors/observation.h"
#include "runtime/sampling/stack_reader.h"
#include "runtime/unwind/unwinder.h"

namespace tailback {

class Callbacks {
 public:
  explicit Callbacks(StackReader& reader) : reader_(reader) {}

  // Learns from where a loop dispatches.
  void analyze(const LoopWaitSeen& wait);

  // The distinct callbacks of the samples, most time first; each sample gets the index of its own.
  // Two are distinct if their tasks or the functions by which they begin differ, so that more may
  // have run.
  std::vector<SampledCallback> assign(const StallSeen& observation,
                                      std::vector<ReadSample>& samples);

  // Whether a stack lies outside of the function that ran the loop while it waited, of a runtime
  // whose function runs it to its end.
  bool has_left_loop(const StallSeen& observation, const ReadStack& stack);

 private:
  struct Wait {
    LoopWait place;
    RawStack raw;
    std::shared_ptr<const ModuleMap> modules;
    std::vector<InterpreterStack> interpreted;
    bool is_interpreted = false;  // there are frames of an interpreter
    std::vector<Frame> frames;    // made of these when they are needed
    bool is_read = false;
    uint64_t used = 0;
  };
  using WaitKey = std::tuple<int, int, uint64_t>;  // pid, tid, the wait's

  // The loop's wait with its frames; nullptr if it is not known.
  const Wait* wait_of(const StallSeen& observation);

  StackReader& reader_;
  std::map<WaitKey, Wait> waits_;
  uint64_t clock_ = 0;
};

}  // namespace tailback
