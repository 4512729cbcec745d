// From the parts of a ThreadSanitizer report to what a person reads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/explain/culprit.h"
#include "runtime/session/findings.h"
#include "runtime/symbolize/symbolizer.h"
#include "runtime/values/lock_order.h"
#include "runtime/values/race.h"

namespace tailback {

class RaceReader {
 public:
  // Both must outlive this.
  RaceReader(Symbolizer& symbolizer, const CulpritRule& rule)
      : symbolizer_(symbolizer), rule_(rule) {}

  // Time and process are the caller's to fill in.
  Race read(int pid, const ModuleMap& modules, const std::vector<FindingPart>& parts);

 private:
  RaceStack stack_of(const std::vector<uint64_t>& frames);
  std::string variable_at(uint64_t address);
  RaceLocation location_of(const FindingPart& part, uint64_t accessed);

  Symbolizer& symbolizer_;
  const CulpritRule& rule_;
  int pid_ = 0;
  const ModuleMap* modules_ = nullptr;
};

// What ThreadSanitizer calls a lock order inversion, as the order of locks that it is. Nothing: it
// is something else.
std::optional<LockOrder> as_lock_order(const Race& race);

// Sets type, advice and fingerprint by what the rest says.
void explain(Race& race);

}  // namespace tailback
