// Buckets of the histogram of iteration lengths: each octave of ticks is cut into four equal parts.
// The recorder counts by it, the observer reads by it.
//
// A bucket is a quarter of its lower edge wide at most, and its middle stands for all lengths in
// it. So a percentile is within 12.5 % of the exact one (kHistogramError).
#pragma once

#include <stdint.h>

#include "instrument/contract/record_contract.h"

namespace tailback::contract {

// Bucket of a length in ticks. Lengths under 4 ticks share the first ones.
constexpr uint32_t histogram_bucket(uint64_t ticks) {
  if (ticks < 4) return static_cast<uint32_t>(ticks);
  const uint32_t octave = 63 - static_cast<uint32_t>(__builtin_clzll(ticks));
  const uint32_t quarter = static_cast<uint32_t>(ticks >> (octave - 2)) & 3;
  const uint32_t bucket = 4 * (octave - 1) + quarter;
  return bucket < kHistogramBuckets ? bucket : kHistogramBuckets - 1;
}

// The smallest length that falls into a bucket.
constexpr uint64_t histogram_lower_edge(uint32_t bucket) {
  if (bucket < 4) return bucket;
  const uint32_t octave = bucket / 4 + 1;
  return (4ull + bucket % 4) << (octave - 2);
}

// The length that stands for a bucket.
constexpr uint64_t histogram_middle(uint32_t bucket) {
  return (histogram_lower_edge(bucket) + histogram_lower_edge(bucket + 1)) / 2;
}

// How far the middle is from any length in the bucket, at most, as a share of that length. Holds
// from 4 ticks on, and below the last bucket.
inline constexpr double kHistogramError = 0.125;

static_assert(histogram_bucket(4) == 4);
static_assert(histogram_lower_edge(histogram_bucket(1000000)) <= 1000000);
static_assert(histogram_lower_edge(histogram_bucket(1000000) + 1) > 1000000);

}  // namespace tailback::contract
