// BlockingCalls and the status, in words.
#include <gtest/gtest.h>

#include "report_samples.h"
#include "runtime/report/blocking_call_summing_reporter.h"
#include "runtime/report/blocking_call_text.h"
#include "runtime/report/summary_text.h"
#include "tests/unit/recording_reporter.h"

namespace tailback {
namespace {

class BlockingCallTextTest : public testing::Test {
 protected:
  void SetUp() override { use_utc(); }
};

TEST_F(BlockingCallTextTest, None_Empty) {
  EXPECT_EQ(blocking_calls_text({}, {}, 10), "");
}

TEST_F(BlockingCallTextTest, One_CallStackAdvice) {
  BlockingCall blocking_call = sample_blocking_call();
  const std::string told = full_blocking_call_text(blocking_call, {});
  EXPECT_TRUE(
      told.starts_with("tailback: blocking call, waited for 7.50 ms: sleep in "
                       "load_config(char const*) (src/config.cc:42)\n  loop "))
      << told;
  EXPECT_NE(told.find("  advice   "), std::string::npos) << told;
  blocking_call.kind = BlockingCallKind::kMayBlock;
  EXPECT_TRUE(full_blocking_call_text(blocking_call, {})
                  .starts_with("tailback: blocking call, may block (took 7.50 ms): sleep in "));
}

TEST_F(BlockingCallTextTest, Sums_Table) {
  BlockingCallTally tally;
  tally.add(sample_blocking_call());
  Counts counts;
  counts.lost = 3;
  counts.suppressed = 1;
  EXPECT_TRUE(blocking_calls_text(tally, counts, 10)
                  .starts_with(
                      R"(tailback: 1 blocking call on loop threads: 12 calls, 60.0 ms in all
  blocking call                                how     cause  count    total  longest  call
  load_config(char const*) (src/config.cc:42)  waited  sleep     12  60.0 ms  7.50 ms  clock_nanosleep
tailback: 1 call of known blocking calls suppressed
tailback: 3 calls on loop threads took as long, but were not seen to wait)"))
      << blocking_calls_text(tally, counts, 10);
  EXPECT_NE(blocking_calls_text(tally, {}, 0).find("… and 1 more"), std::string::npos);
}

TEST_F(BlockingCallTextTest, Tally_SumsByKindAndCulprit) {
  BlockingCallTally tally;
  BlockingCall one = sample_blocking_call();
  tally.add(one);
  BlockingCall longer = sample_blocking_call();
  longer.count = 1;
  longer.total = longer.longest.duration = std::chrono::milliseconds(9);
  longer.last += std::chrono::seconds(2);
  const BlockingCall* sum = tally.add(longer);
  ASSERT_NE(sum, nullptr);
  EXPECT_EQ(sum->count, 13u);
  EXPECT_EQ(sum->total, std::chrono::milliseconds(69));
  EXPECT_EQ(sum->longest.duration, std::chrono::milliseconds(9));
  EXPECT_EQ(sum->last, longer.last);
  one.kind = BlockingCallKind::kMayBlock;
  tally.add(one);
  one.longest.fingerprint = "another";
  tally.add(one);
  EXPECT_EQ(tally.culprits(), 3u);
  EXPECT_EQ(tally.calls(), 37u);
}

TEST_F(BlockingCallTextTest, SummingReporter_FirstAndSums) {
  RecordingReporter behind;
  BlockingCallSummingReporter reporter(behind);
  BlockingCall call = sample_blocking_call();
  call.state = BlockingCallState::kSeen;
  call.count = 1;
  for (int i = 0; i < 3; ++i) reporter.report(call);
  ASSERT_EQ(behind.all<BlockingCall>().size(), 1u);
  EXPECT_EQ(behind.all<BlockingCall>()[0].state, BlockingCallState::kSeen);
  reporter.report(sample_end());
  ASSERT_EQ(behind.all<BlockingCall>().size(), 2u);
  EXPECT_EQ(behind.all<BlockingCall>()[1].state, BlockingCallState::kSum);
  EXPECT_EQ(behind.all<BlockingCall>()[1].count, 3u);
  EXPECT_EQ(behind.all<SessionEnd>().at(0).counts[RecordKind::kBlockingCall].reported, 1u);
  EXPECT_EQ(behind.all<SessionEnd>().at(0).counts[RecordKind::kBlockingCall].repeated, 2u);
}

TEST_F(BlockingCallTextTest, HostileTarget_TallyBounded) {
  BlockingCallTally tally;
  BlockingCall blocking_call = sample_blocking_call();
  for (size_t i = 0; i < BlockingCallTally::kCulprits + 10; ++i) {
    blocking_call.longest.fingerprint = std::to_string(i);
    EXPECT_EQ(tally.add(blocking_call) != nullptr, i < BlockingCallTally::kCulprits);
  }
  EXPECT_EQ(tally.culprits(), BlockingCallTally::kCulprits);
  EXPECT_EQ(tally.calls(), (BlockingCallTally::kCulprits + 10) * blocking_call.count);
}

TEST_F(BlockingCallTextTest, Status_TableOfLoops) {
  EXPECT_EQ(status_text(sample_status()),
            R"(tailback: so far, in 5.00 s: 2 stalls, 563 ms in all; 1 process, 3 threads
  loop                                                 iterations  busy      p50     p90      p99    p99.9  longest
  server[4711], thread io-0[4713], epoll_wait on fd 5      40,123  30 %  12.0 µs  100 µs  3.20 ms  90.0 ms   400 ms
)");
  EXPECT_NE(status_text({}).find("no event loop was seen"), std::string::npos);
}

}  // namespace
}  // namespace tailback
