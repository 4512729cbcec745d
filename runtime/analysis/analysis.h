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

#include "runtime/detectors/observation.h"
#include "runtime/detectors/verdicts.h"
#include "runtime/report/reporter.h"
#include "runtime/sampling/stack_reader.h"

namespace tailback {

class Analysis {
 public:
  // Stacks come from `stacks`, or from the processes if that is nullptr.
  Analysis(Reporter& reporter, CulpritRule rule, Verdicts& verdicts,
           std::unique_ptr<StackSource> stacks = nullptr);
  ~Analysis();

  void start(const SessionStart& start);
  // Safe from any thread; never waits for the analysis of an earlier one.
  void take(Observation observation);
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
  std::deque<std::function<void()>> work_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tailback
