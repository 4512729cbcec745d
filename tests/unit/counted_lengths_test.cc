// The recorder's figures of iteration lengths, without time that does not count.
#include "runtime/loops/counted_lengths.h"

#include <gtest/gtest.h>

#include <numeric>

#include "instrument/contract/histogram.h"

namespace tailback {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kThreshold = 100 * kMillisecond;

// What the recorder counts of these iterations.
IterationFigures recorded(const std::vector<uint64_t>& lengths) {
  IterationFigures figures;
  for (const uint64_t length : lengths) {
    figures.busy_ticks += length;
    figures.longest_ticks = std::max(figures.longest_ticks, length);
    ++figures.histogram[contract::histogram_bucket(length)];
  }
  return figures;
}

uint64_t count(const IterationFigures& figures) {
  return std::accumulate(figures.histogram.begin(), figures.histogram.end(), uint64_t{0});
}

TEST(CountedLengths, AllCounts_StaysAsItIs) {
  CountedLengths lengths;
  lengths.add(400 * kMillisecond, 400 * kMillisecond);
  const IterationFigures figures = recorded({kMillisecond, 400 * kMillisecond});
  const IterationFigures corrected = lengths.correct(figures, kThreshold);
  EXPECT_EQ(corrected.longest_ticks, 400 * kMillisecond);
  EXPECT_EQ(corrected.busy_ticks, figures.busy_ticks);
  EXPECT_EQ(corrected.histogram, figures.histogram);
}

TEST(CountedLengths, StopWithinAnIteration_IsTakenOut) {
  CountedLengths lengths;
  lengths.add(1030 * kMillisecond, 30 * kMillisecond);
  const IterationFigures corrected =
      lengths.correct(recorded({kMillisecond, kMillisecond, 1030 * kMillisecond}), kThreshold);
  EXPECT_EQ(corrected.busy_ticks, 32 * kMillisecond);
  EXPECT_EQ(corrected.longest_ticks, 30 * kMillisecond);
  EXPECT_EQ(corrected.histogram,
            recorded({kMillisecond, kMillisecond, 30 * kMillisecond}).histogram);
}

TEST(CountedLengths, LongerIterationThatCounts_StaysTheLongest) {
  CountedLengths lengths;
  lengths.add(300 * kMillisecond, 300 * kMillisecond);
  lengths.add(1030 * kMillisecond, 30 * kMillisecond);
  const auto figures = recorded({300 * kMillisecond, 1030 * kMillisecond});
  EXPECT_EQ(lengths.correct(figures, kThreshold).longest_ticks, 300 * kMillisecond);
}

TEST(CountedLengths, LongestIsShort_IsThatOfItsBucketAndNotOverTheThreshold) {
  CountedLengths lengths;
  lengths.add(1030 * kMillisecond, 0);
  const uint64_t longest =
      lengths.correct(recorded({90 * kMillisecond, 1030 * kMillisecond}), kThreshold).longest_ticks;
  EXPECT_NEAR(static_cast<double>(longest), 90e6, 90e6 * contract::kHistogramError);
  for (uint64_t length = 80; length <= 100; ++length) {
    EXPECT_LE(lengths.correct(recorded({length * kMillisecond, 1030 * kMillisecond}), kThreshold)
                  .longest_ticks,
              kThreshold);
  }
}

TEST(CountedLengths, MoreCountedThanRecorded_IsAllOfIt) {
  CountedLengths lengths;
  lengths.add(200 * kMillisecond, 900 * kMillisecond);
  const auto figures = recorded({200 * kMillisecond});
  EXPECT_EQ(lengths.correct(figures, kThreshold).longest_ticks, 200 * kMillisecond);
}

TEST(CountedLengths, FoundShorterLater_IsThatLong) {
  CountedLengths lengths;
  lengths.add(200 * kMillisecond, 200 * kMillisecond);
  lengths.add(400 * kMillisecond, 400 * kMillisecond);
  const auto figures = recorded({kMillisecond, 200 * kMillisecond, 400 * kMillisecond});
  lengths.shorten(400 * kMillisecond - 1, 50 * kMillisecond);
  IterationFigures corrected = lengths.correct(figures, kThreshold);
  EXPECT_EQ(corrected.longest_ticks, 200 * kMillisecond);
  EXPECT_EQ(corrected.busy_ticks, 251 * kMillisecond);
  EXPECT_EQ(count(corrected), 3u);
  lengths.shorten(200 * kMillisecond, 0);
  corrected = lengths.correct(figures, kThreshold);
  EXPECT_EQ(corrected.longest_ticks, 50 * kMillisecond);
  EXPECT_EQ(count(corrected), 3u);
}

TEST(CountedLengths, UnknownIterationFoundShorter_NothingChanges) {
  CountedLengths lengths;
  lengths.add(400 * kMillisecond, 400 * kMillisecond);
  lengths.shorten(300 * kMillisecond, 0);
  lengths.shorten(400 * kMillisecond, 500 * kMillisecond);
  const auto figures = recorded({400 * kMillisecond});
  EXPECT_EQ(lengths.correct(figures, kThreshold).histogram, figures.histogram);
  EXPECT_EQ(lengths.correct(figures, kThreshold).longest_ticks, 400 * kMillisecond);
}

TEST(CountedLengths, FiguresOfAnotherSite_NeverWrap) {
  CountedLengths lengths;
  for (int i = 0; i < 5; ++i) lengths.add(1000 * kMillisecond, 0);
  const IterationFigures corrected = lengths.correct(recorded({kMillisecond}), kThreshold);
  EXPECT_EQ(corrected.busy_ticks, 0u);
  EXPECT_EQ(corrected.longest_ticks, kMillisecond);
  EXPECT_LE(count(corrected), 6u);
  EXPECT_EQ(lengths.correct({}, kThreshold).longest_ticks, 0u);
}

}  // namespace
}  // namespace tailback
