// Finds the reports of ThreadSanitizer that nobody hands over: in the text of processes that are
// not paired. Has a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/detectors/observation.h"
#include "runtime/detectors/settings.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/thread_sanitizer/report_logs.h"

namespace tailback {

class SanitizerTextWatch {
 public:
  // `emit` is called on the watch's own thread, and in stop().
  SanitizerTextWatch(DetectorInput& input, const SanitizerText& text, Emit emit);
  ~SanitizerTextWatch();

  void start();
  // Reads what is left and stops the thread.
  void stop();
  // What the thread does, again and again.
  void poll();

  // Polls that failed, and may have lost reports. After stop().
  uint64_t failures() const { return failures_; }

 private:
  // What is read of a process while it lives: most end soon after a report.
  struct Process {
    uint32_t generation = 0;
    std::string name;
    std::shared_ptr<const ModuleMap> modules;
    std::optional<bool> is_paired;  // its findings come by themselves, too
  };

  void run();
  void poll_processes();
  std::shared_ptr<const ModuleMap> modules_of(int pid);
  // Tells what is known not to be handed over, and the rest once that would have happened.
  void take(std::vector<TextReport> reports, bool all);
  void tell(TextReport report, WallTime time, Process& process);
  std::string name_of(const TextReport& report, const Process& process);
  // Of any process that has mapped one of its files; empty if there is none.
  std::shared_ptr<const ModuleMap> modules_with(const TextReport& report) const;

  DetectorInput& input_;
  contract::Segment& segment_;
  ReportLogs logs_;
  Emit emit_;
  std::map<int, Process> processes_;
  struct Waiting {
    TextReport report;
    std::chrono::steady_clock::time_point since;
    WallTime time;
  };
  std::vector<Waiting> waiting_;
  unsigned polls_ = 0;
  uint64_t failures_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tailback
