// Coroutines that were never awaited.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "runtime/detectors/observation.h"
#include "runtime/report/reporter.h"
#include "runtime/sampling/stack_reader.h"

namespace tailback {

class NeverAwaitedAnalyzer {
 public:
  NeverAwaitedAnalyzer(StackReader& reader, Reporter& reporter)
      : reader_(reader), reporter_(reporter) {}

  // Each place is reported once, then counted. Throws std::runtime_error if the finding makes no
  // sense.
  void analyze(const FindingSeen& observation);

  const Counts& counts() const { return counts_; }

 private:
  std::optional<NeverAwaited> read(const FindingSeen& observation);
  std::optional<NeverAwaited> read_stack(const FindingSeen& observation, const FindingPart& part);

  StackReader& reader_;
  Reporter& reporter_;
  std::set<std::string> fingerprints_;
  Counts counts_;
};

}  // namespace tailback
