#include "runtime/observer/replay.h"

#include <memory>
#include <utility>

#include "runtime/analysis/analysis.h"
#include "runtime/detectors/contention_profiler.h"
#include "runtime/detectors/lock_order_detector.h"
#include "runtime/detectors/session_detection.h"
#include "runtime/observations/header_json.h"
#include "runtime/observations/replay_input.h"
#include "runtime/observations/stack_sources.h"
#include "runtime/observer/lanes.h"

namespace tailback {

namespace {

// Lock orders are found on a thread of their own, whose polls have no order among the session's.
void replay_lock_orders(const Observations& observations, const Emit& emit, SessionEnd& end) {
  const auto input = make_replay_input(observations, kLockOrderLane);
  LockOrderDetector detector(*input, emit);
  while (input->polls_left() > 0) detector.poll();
  detector.add_losses(end);
}

void replay_contention(const Observations& observations, const Emit& emit, SessionEnd& end) {
  const auto input = make_replay_input(observations, kContentionLane);
  ContentionProfiler profiler(*input, emit);
  while (input->polls_left() > 1) profiler.poll();
  profiler.poll_last();
  profiler.add_losses(end);
}

}  // namespace

void replay(const Observations& observations, Reporter& reporter) {
  const ObserverSettings settings = settings_in(observations.header);
  Verdicts verdicts;
  Analysis analysis(reporter, settings.culprits, verdicts,
                    {make_replay_stacks(observations), make_replay_loop_ends(observations)});
  const Emit emit = [&](Observation&& observation) { analysis.take(std::move(observation)); };
  analysis.start(start_in(observations.header));

  const auto input = make_replay_input(observations, kSessionLane);
  SessionDetection detection(*input, settings, verdicts, emit);
  detection.begin();
  while (input->polls_left() > 1) {
    detection.poll();
    analysis.wait();  // what it finds out is known to the next poll
  }
  detection.finish();
  analysis.wait();
  detection.settle();
  SessionEnd end = detection.summary();
  if (settings.lock_order) replay_lock_orders(observations, emit, end);
  if (settings.locks) replay_contention(observations, emit, end);
  add_end(observations.end, end);
  analysis.finish(std::move(end));
}

}  // namespace tailback
