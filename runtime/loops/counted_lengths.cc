#include "runtime/loops/counted_lengths.h"

#include <algorithm>

#include "instrument/contract/histogram.h"

namespace tailback {

namespace {

// What a length may differ by once it was a time.
uint64_t rounding(uint64_t ticks) {
  return 2 + ticks / 1'000'000;
}

bool is_as_long(uint64_t one, uint64_t other) {
  return std::max(one, other) - std::min(one, other) <= rounding(one);
}

uint64_t longest_of(const IterationFigures& figures, uint64_t longest_known,
                    uint64_t threshold_ticks) {
  uint32_t top = contract::kHistogramBuckets;
  while (top > 0 && figures.histogram[top - 1] == 0) --top;
  if (top == 0 || contract::histogram_bucket(longest_known) >= top - 1) return longest_known;
  // Of iterations up to the threshold only the bucket is known.
  const uint64_t middle = contract::histogram_middle(top - 1);
  const bool is_at_threshold = top - 1 == contract::histogram_bucket(threshold_ticks);
  return is_at_threshold ? std::min(middle, threshold_ticks) : middle;
}

}  // namespace

void CountedLengths::add(uint64_t recorded, uint64_t counted) {
  constexpr size_t kRemembered = 64;
  counted = std::min(counted, recorded);
  counted_.insert(counted);
  if (counted_.size() > kRemembered) counted_.erase(counted_.begin());
  if (counted < recorded) move(recorded, counted);
}

void CountedLengths::shorten(uint64_t counted, uint64_t counts) {
  const auto known = counted_.lower_bound(counted - std::min(counted, rounding(counted)));
  if (known == counted_.end() || !is_as_long(*known, counted) || *known <= counts) return;
  const uint64_t before = *known;
  counted_.erase(known);
  counted_.insert(counts);
  move(before, counts);
}

void CountedLengths::move(uint64_t from, uint64_t to) {
  longest_recorded_ = std::max(longest_recorded_, from);
  too_much_ += from - to;
  const uint32_t bucket = contract::histogram_bucket(from);
  const uint32_t other = contract::histogram_bucket(to);
  if (bucket == other) return;
  ++out_of_[bucket];
  ++into_[other];
}

IterationFigures CountedLengths::correct(IterationFigures figures, uint64_t threshold_ticks) const {
  if (too_much_ == 0) return figures;
  figures.busy_ticks -= std::min(figures.busy_ticks, too_much_);
  // What was shortened twice goes into a bucket first that it then leaves.
  for (const auto& [bucket, count] : into_) figures.histogram[bucket] += count;
  for (const auto& [bucket, count] : out_of_) {
    figures.histogram[bucket] -= std::min(figures.histogram[bucket], count);
  }
  if (is_as_long(figures.longest_ticks, longest_recorded_)) {
    const uint64_t longest = counted_.empty() ? 0 : *counted_.rbegin();
    figures.longest_ticks =
        std::min(figures.longest_ticks, longest_of(figures, longest, threshold_ticks));
  }
  return figures;
}

}  // namespace tailback
