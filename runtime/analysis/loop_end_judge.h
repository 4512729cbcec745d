// Iterations that outlive their loop: only the time before the loop's end is a callback's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "runtime/analysis/callbacks.h"
#include "runtime/analysis/loop_ends.h"
#include "runtime/detectors/verdicts.h"
#include "runtime/report/reporter.h"
#include "runtime/sampling/stack_reader.h"

namespace tailback {

class LoopEndJudge {
 public:
  LoopEndJudge(StackReader& reader, Verdicts& verdicts, Reporter& reporter, Callbacks& callbacks,
               std::unique_ptr<LoopEnds> loop_ends)
      : reader_(reader),
        verdicts_(verdicts),
        reporter_(reporter),
        callbacks_(callbacks),
        loop_ends_(std::move(loop_ends)) {}

  void analyze(const LoopWaitSeen& wait);

  // What is left of a stall without the time since its loop was over; nothing if the rest is no
  // stall. The first time that a loop has ended so is noted.
  std::optional<StallSeen> without_loop_end(const StallSeen& observation);

 private:
  bool is_after_loop(const StallSeen& observation, const Sample& sample);
  bool has_left_loop(const StallSeen& observation, const Sample& sample);
  bool is_at_exit(const StallSeen& observation, const Sample& sample);
  Nanoseconds over_since(const StallSeen& observation, Nanoseconds seen);
  ReadStack longest_end(const StallSeen& observation);
  void note_end(const StallSeen& observation, NoteKind kind, Nanoseconds length, ReadStack stack);

  StackReader& reader_;
  Verdicts& verdicts_;
  Reporter& reporter_;
  Callbacks& callbacks_;
  std::unique_ptr<LoopEnds> loop_ends_;
  // The age at which the loop of an iteration in progress was over, at the latest.
  std::map<IterationId, Nanoseconds> over_since_;
  std::set<std::pair<int, uint64_t>> noted_;  // pid, the wait
};

}  // namespace tailback
