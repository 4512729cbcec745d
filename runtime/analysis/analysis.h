// The second stage of the pipe: takes observations from any thread, gives each to the analyzer of
// its kind on a thread of its own, in order of arrival, and so makes records for the reporter. It
// knows no kind's logic.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/analysis/loop_ends.h"
#include "runtime/detectors/observation.h"
#include "runtime/detectors/verdicts.h"
#include "runtime/report/reporter.h"
#include "runtime/sampling/stack_reader.h"

namespace tailback {

class Analysis {
 public:
  // What analyzers read of targets. nullptr: the processes and their files.
  struct Sources {
    std::unique_ptr<StackSource> stacks{};
    std::unique_ptr<LoopEnds> loop_ends{};
  };
  Analysis(Reporter& reporter, CulpritRule rule, Verdicts& verdicts, Sources sources);
  ~Analysis();

  void start(const SessionStart& start);
  // Safe from any thread; never waits for the analysis of an earlier one.
  void take(Observation observation);
  // Waits until what was taken has been worked off.
  void wait();
  // Works off what was taken, lets the analyzers fill in their counts, reports the end and stops
  // the thread.
  void finish(SessionEnd end);

 private:
  struct Analyzers;

  void post(std::function<void()> work);
  void run();

  Reporter& reporter_;
  std::unique_ptr<Analyzers> analyzers_;
  uint64_t failures_ = 0;  // observations that could not be analyzed

  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable done_;
  std::deque<std::function<void()>> work_;
  bool is_working_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tailback
