#include "runtime/report/blocking_call_tally.h"

#include <algorithm>

#include "runtime/report/culprit_tally.h"
#include "runtime/report/duration_text.h"

namespace tailback {

std::string blocking_call_key(const BlockingCall& blocking_call) {
  return std::string(word(blocking_call.kind)) + "|" + culprit_key(blocking_call.longest);
}

const BlockingCall* BlockingCallTally::add(const BlockingCall& blocking_call) {
  calls_ = saturating_sum(calls_, blocking_call.count);
  total_ = saturating_sum(total_, blocking_call.total);
  std::string key = blocking_call_key(blocking_call);
  const auto known = sums_.find(key);
  if (known == sums_.end()) {
    if (sums_.size() == kCulprits) return nullptr;
    BlockingCall& fresh = sums_.emplace(std::move(key), blocking_call).first->second;
    fresh.state = BlockingCallState::kSum;
    return &fresh;
  }
  BlockingCall& sum = known->second;
  sum.count = saturating_sum(sum.count, blocking_call.count);
  sum.total = saturating_sum(sum.total, blocking_call.total);
  sum.last = std::max(sum.last, blocking_call.last);
  if (blocking_call.longest.duration > sum.longest.duration) sum.longest = blocking_call.longest;
  return &sum;
}

std::vector<const BlockingCall*> BlockingCallTally::by_total() const {
  std::vector<const BlockingCall*> sorted;
  sorted.reserve(sums_.size());
  for (const auto& [key, blocking_call] : sums_) sorted.push_back(&blocking_call);
  std::stable_sort(sorted.begin(), sorted.end(), [](const BlockingCall* a, const BlockingCall* b) {
    return a->total > b->total;
  });
  return sorted;
}

}  // namespace tailback
