// The analyst's part in what code inside a target has found out by itself.
#include <utility>

#include "runtime/analysis/analyst.h"
#include "runtime/thread_sanitizer/race_reader.h"

namespace tailback {

namespace {

constexpr size_t kMostRaces = 10000;  // that are told apart

}  // namespace

void Analyst::analyse(const FindingSeen& observation) {
  switch (observation.kind) {
    case contract::FindingKind::kThreadSanitizer:
      report_race(observation);
      return;
    case contract::FindingKind::kNeverAwaited:
      report_never_awaited(observation);
      return;
  }
  ++failures_;
}

// Each place once, then counted.
void Analyst::report_race(const FindingSeen& observation) {
  if (!observation.may_be_second) {
    handed_over_.insert(observation.pid);
  } else if (handed_over_.contains(observation.pid)) {
    return;
  }
  RaceReader reader(reader_.symbolizer(), reader_.rule());
  Race race = reader.read(observation.pid, *observation.modules, observation.parts,
                          !observation.modules_of_other);
  race.time = observation.time;
  race.process = observation.process;
  if (!observation.whole) race.notes.push_back("a part of the report could not be read");
  if (races_.size() >= kMostRaces || races_[race.fingerprint]++ > 0) {
    ++race_counts_.repeated;
    return;
  }
  ++race_counts_.told;
  if (const auto order = as_lock_order(race)) {
    reporter_.lock_order(*order);
  } else {
    reporter_.race(race);
  }
}

}  // namespace tailback
