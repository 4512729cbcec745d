// Findings of ThreadSanitizer: races, and what else it reports.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "runtime/detectors/observation.h"
#include "runtime/report/reporter.h"
#include "runtime/sampling/stack_reader.h"

namespace tailback {

class RaceAnalyzer {
 public:
  RaceAnalyzer(StackReader& reader, Reporter& reporter) : reader_(reader), reporter_(reporter) {}

  // Each place is reported once, then counted.
  void analyze(const FindingSeen& observation);

  const Counts& counts() const { return counts_; }

 private:
  StackReader& reader_;
  Reporter& reporter_;
  std::set<std::string> fingerprints_;
  Counts counts_;
  std::set<int> handed_over_;  // pids whose findings come by themselves
};

}  // namespace tailback
