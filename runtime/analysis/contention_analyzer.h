// Waits for locks (--locks): names the locks, gathers the stacks of those that wait and of the
// owners, and reports all of it at the end.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/detectors/observation.h"
#include "runtime/report/reporter.h"
#include "runtime/sampling/stack_reader.h"

namespace tailback {

class ContentionAnalyzer {
 public:
  static constexpr size_t kMostReported = 1000;

  ContentionAnalyzer(StackReader& reader, Reporter& reporter)
      : reader_(reader), reporter_(reporter) {}

  void analyze(const ContentionSeen& seen);

  // Reports the locks, most time first, kMostReported at most.
  void finish();
  // After finish(), of all locks.
  uint64_t locks() const { return locks_; }

 private:
  // Of one entry of the segment.
  struct KnownLock {
    bool is_named = false;
    Contention lock;
    std::map<uint64_t, Frame> places;  // by call site
  };

  void name(const ContentionSeen& seen, KnownLock& known);
  void add_wait(const ContentionSeen& seen, Contention& lock);
  void add_stack(int pid, const Sample& sample, std::string call, Nanoseconds weight,
                 std::vector<ContentionStack>& stacks);
  static void add_totals(const ContentionSeen::Totals& totals, KnownLock& known);
  std::vector<Contention> merged() const;

  StackReader& reader_;
  Reporter& reporter_;
  std::map<uint32_t, KnownLock> known_;  // by entry
  uint64_t locks_ = 0;
};

}  // namespace tailback
