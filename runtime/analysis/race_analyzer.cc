#include "runtime/analysis/race_analyzer.h"

#include "runtime/thread_sanitizer/race_reader.h"

namespace tailback {

namespace {

constexpr size_t kMostRaces = 10000;  // that are told apart

}  // namespace

void RaceAnalyzer::analyze(const FindingSeen& observation) {
  if (!observation.may_be_second) {
    handed_over_.insert(observation.pid);
  } else if (handed_over_.contains(observation.pid)) {
    return;
  }
  RaceReader race_reader(reader_);
  Race race = race_reader.read(observation.pid, *observation.modules, observation.parts,
                               !observation.modules_of_other);
  race.time = observation.time;
  race.process = observation.process;
  if (!observation.whole) race.limits.push_back({LimitKind::kPartUnread});
  if (fingerprints_.size() >= kMostRaces || !fingerprints_.insert(race.fingerprint).second) {
    ++counts_.repeated;
    return;
  }
  ++counts_.reported;
  if (const auto order = as_lock_order(race)) {
    reporter_.report(*order);
  } else {
    reporter_.report(race);
  }
}

}  // namespace tailback
