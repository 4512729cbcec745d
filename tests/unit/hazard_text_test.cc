// Hazards and the status, in words.
#include <gtest/gtest.h>

#include "report_samples.h"
#include "runtime/report/hazard_summing_reporter.h"
#include "runtime/report/hazard_text.h"
#include "runtime/report/summary_text.h"
#include "tests/unit/recording_reporter.h"

namespace tailback {
namespace {

class HazardTextTest : public testing::Test {
 protected:
  void SetUp() override { use_utc(); }
};

TEST_F(HazardTextTest, NothingIsSaidOfNone) {
  EXPECT_EQ(hazards_text({}, {}, 10), "");
}

TEST_F(HazardTextTest, OneIsToldWithItsCallStackAndAdvice) {
  Hazard hazard = sample_hazard();
  const std::string told = full_hazard_text(hazard, {});
  EXPECT_TRUE(
      told.starts_with("tailback: hazard, waited for 7.50 ms: sleep in "
                       "load_config(char const*) (src/config.cc:42)\n  loop "))
      << told;
  EXPECT_NE(told.find("  advice   "), std::string::npos) << told;
  hazard.kind = HazardKind::kMayBlock;
  EXPECT_TRUE(full_hazard_text(hazard, {})
                  .starts_with("tailback: hazard, may block (took 7.50 ms): sleep in "));
}

TEST_F(HazardTextTest, SumsAreATable) {
  HazardTally tally;
  tally.add(sample_hazard());
  HazardCounts counts;
  counts.unseen = 3;
  counts.suppressed = 1;
  EXPECT_TRUE(hazards_text(tally, counts, 10)
                  .starts_with(
                      R"(tailback: 1 hazard on loop threads: 12 calls, 60.0 ms in all
  hazard                                       how     cause  count    total  longest  call
  load_config(char const*) (src/config.cc:42)  waited  sleep     12  60.0 ms  7.50 ms  clock_nanosleep
tailback: 1 call of known hazards suppressed
tailback: 3 calls on loop threads took as long, but )"))
      << hazards_text(tally, counts, 10);
  EXPECT_NE(hazards_text(tally, {}, 0).find("… and 1 more"), std::string::npos);
}

TEST_F(HazardTextTest, TheTallySumsByKindAndCulprit) {
  HazardTally tally;
  Hazard one = sample_hazard();
  tally.add(one);
  Hazard longer = sample_hazard();
  longer.count = 1;
  longer.total = longer.longest.duration = std::chrono::milliseconds(9);
  longer.last += std::chrono::seconds(2);
  const Hazard* sum = tally.add(longer);
  ASSERT_NE(sum, nullptr);
  EXPECT_EQ(sum->count, 13u);
  EXPECT_EQ(sum->total, std::chrono::milliseconds(69));
  EXPECT_EQ(sum->longest.duration, std::chrono::milliseconds(9));
  EXPECT_EQ(sum->last, longer.last);
  one.kind = HazardKind::kMayBlock;
  tally.add(one);
  one.longest.fingerprint = "another";
  tally.add(one);
  EXPECT_EQ(tally.culprits(), 3u);
  EXPECT_EQ(tally.calls(), 37u);
}

TEST_F(HazardTextTest, ASummingReporterTellsTheFirstAndTheSums) {
  RecordingReporter behind;
  HazardSummingReporter reporter(behind);
  Hazard call = sample_hazard();
  call.state = HazardState::kSeen;
  call.count = 1;
  for (int i = 0; i < 3; ++i) reporter.hazard(call);
  ASSERT_EQ(behind.hazards.size(), 1u);
  EXPECT_EQ(behind.hazards[0].state, HazardState::kSeen);
  reporter.end(sample_end());
  ASSERT_EQ(behind.hazards.size(), 2u);
  EXPECT_EQ(behind.hazards[1].state, HazardState::kSum);
  EXPECT_EQ(behind.hazards[1].count, 3u);
  EXPECT_EQ(behind.ends.at(0).hazards.culprits, 1u);
  EXPECT_EQ(behind.ends.at(0).hazards.calls, 3u);
}

TEST_F(HazardTextTest, AHostileTargetDoesNotFillTheTally) {
  HazardTally tally;
  Hazard hazard = sample_hazard();
  for (size_t i = 0; i < HazardTally::kCulprits + 10; ++i) {
    hazard.longest.fingerprint = std::to_string(i);
    EXPECT_EQ(tally.add(hazard) != nullptr, i < HazardTally::kCulprits);
  }
  EXPECT_EQ(tally.culprits(), HazardTally::kCulprits);
  EXPECT_EQ(tally.calls(), (HazardTally::kCulprits + 10) * hazard.count);
}

TEST_F(HazardTextTest, AStatusIsTheTableOfLoops) {
  EXPECT_EQ(status_text(sample_status()),
            R"(tailback: so far, in 5.00 s: 2 stalls, 563 ms in all; 1 process, 3 threads
  loop                                                  turns  busy      p50     p90      p99    p99.9  longest
  server[4711], thread io-0[4713], epoll_wait on fd 5  40,123  30 %  12.0 µs  100 µs  3.20 ms  90.0 ms   400 ms
)");
  EXPECT_NE(status_text({}).find("no event loop was seen"), std::string::npos);
}

}  // namespace
}  // namespace tailback
