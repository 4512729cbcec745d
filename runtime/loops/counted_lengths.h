// What the recorder counts of iteration lengths, without the time that does not count: it knows
// nothing of stops and of a suspended machine.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>

#include "instrument/contract/record_contract.h"

namespace tailback {

// The figures of one wait site.
struct IterationFigures {
  uint64_t busy_ticks = 0;
  uint64_t longest_ticks = 0;
  std::array<uint32_t, contract::kHistogramBuckets> histogram{};
};

class CountedLengths {
 public:
  // An iteration over the threshold has ended, whose ticks the recorder has counted. `counted` of
  // them count. To be called of each, also if all do.
  void add(uint64_t recorded, uint64_t counted);

  // An iteration that was added with `counted` ticks turns out to count only `counts`. One that is
  // not known as that long stays as it is.
  void shorten(uint64_t counted, uint64_t counts);

  // The recorder's figures with these iterations as long as they count. A figure that these
  // iterations can't be a part of stays as it is. The longest is exact if it is over the threshold,
  // else it may be the middle of its bucket.
  IterationFigures correct(IterationFigures recorded, uint64_t threshold_ticks) const;

 private:
  void move(uint64_t from, uint64_t to);

  std::map<uint32_t, uint32_t> out_of_;  // bucket → iterations that leave it
  std::map<uint32_t, uint32_t> into_;
  uint64_t too_much_ = 0;            // ticks
  uint64_t longest_recorded_ = 0;    // of the iterations that were shorter
  std::multiset<uint64_t> counted_;  // the longest, of all
};

}  // namespace tailback
