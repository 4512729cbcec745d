#include "runtime/loops/counted_lengths.h"

#include <algorithm>

#include "instrument/contract/histogram.h"

namespace tailback {

namespace {

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
  counted = std::min(counted, recorded);
  longest_counted_ = std::max(longest_counted_, counted);
  if (counted == recorded) return;
  longest_recorded_ = std::max(longest_recorded_, recorded);
  too_much_ += recorded - counted;
  const uint32_t from = contract::histogram_bucket(recorded);
  const uint32_t to = contract::histogram_bucket(counted);
  if (from == to) return;
  ++out_of_[from];
  ++into_[to];
}

IterationFigures CountedLengths::correct(IterationFigures figures, uint64_t threshold_ticks) const {
  if (too_much_ == 0) return figures;
  figures.busy_ticks -= std::min(figures.busy_ticks, too_much_);
  for (const auto& [bucket, count] : out_of_) {
    figures.histogram[bucket] -= std::min(figures.histogram[bucket], count);
  }
  for (const auto& [bucket, count] : into_) figures.histogram[bucket] += count;
  if (figures.longest_ticks == longest_recorded_) {
    figures.longest_ticks =
        std::min(figures.longest_ticks, longest_of(figures, longest_counted_, threshold_ticks));
  }
  return figures;
}

}  // namespace tailback
