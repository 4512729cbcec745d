#include "runtime/report/hazard_tally.h"

#include <algorithm>

#include "runtime/report/culprit_tally.h"
#include "runtime/report/duration_text.h"

namespace tailback {

std::string hazard_key(const Hazard& hazard) {
  return std::string(word(hazard.kind)) + "|" + culprit_key(hazard.longest);
}

const Hazard* HazardTally::add(const Hazard& hazard) {
  calls_ = saturating_sum(calls_, hazard.count);
  total_ = saturating_sum(total_, hazard.total);
  std::string key = hazard_key(hazard);
  const auto known = sums_.find(key);
  if (known == sums_.end()) {
    if (sums_.size() == kCulprits) return nullptr;
    Hazard& fresh = sums_.emplace(std::move(key), hazard).first->second;
    fresh.state = HazardState::kSum;
    return &fresh;
  }
  Hazard& sum = known->second;
  sum.count = saturating_sum(sum.count, hazard.count);
  sum.total = saturating_sum(sum.total, hazard.total);
  sum.last = std::max(sum.last, hazard.last);
  if (hazard.longest.duration > sum.longest.duration) sum.longest = hazard.longest;
  return &sum;
}

std::vector<const Hazard*> HazardTally::by_total() const {
  std::vector<const Hazard*> sorted;
  sorted.reserve(sums_.size());
  for (const auto& [key, hazard] : sums_) sorted.push_back(&hazard);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Hazard* a, const Hazard* b) { return a->total > b->total; });
  return sorted;
}

}  // namespace tailback
