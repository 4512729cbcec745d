// A call in the record is believed only while the thread is in it, and who computes within a call
// is shown where it computes.

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

class LeftCallsTest : public IntegrationTest {
 protected:
  Recording run(const std::string& callback) {
    WatchOptions options;
    options.command = {built_program("left_calls"), callback};
    return finished(watch(options));
  }

  // The only stall, of this cause.
  Json only_stall(const std::string& callback, const std::string& cause) {
    const Recording recording = run(callback);
    EXPECT_TRUE(has_stalls(recording, 1));
    if (recording.final_stalls().size() != 1) throw std::runtime_error("there is no only stall");
    const Json stall = recording.final_stalls()[0];
    EXPECT_EQ(stall["cause"], cause) << summary(stall);
    return stall;
  }
};

TEST_F(LeftCallsTest, Longjmp_Silent) {
  EXPECT_TRUE(has_stalls(run("leave a call"), 0));
}

TEST_F(LeftCallsTest, SleepAfterLongjmp_Sleep) {
  const std::vector<Expectation> expected =
      read_expectations(source_file("tests/integration/targets/left_calls.cc"));
  ASSERT_EQ(expected.size(), 1u);
  const Json stall = only_stall("sleep after a left call", "sleep");
  EXPECT_TRUE(matches(expected[0], stall));
  EXPECT_FALSE(stall["call"]["intercepted"].get<bool>());
}

TEST_F(LeftCallsTest, ComputingAfterLongjmp_NoCall) {
  const Json stall = only_stall("compute after a left call", "cpu");
  EXPECT_TRUE(stall["call"].is_null()) << summary(stall);
  EXPECT_TRUE(stack_has_function(stall, "compute_after_left_call")) << summary(stall);
}

TEST_F(LeftCallsTest, ComputingInCallback_CallShown) {
  const Json stall = only_stall("compute within fork", "cpu");
  ASSERT_TRUE(stall["call"].is_object()) << summary(stall);
  EXPECT_EQ(stall["call"]["function"], "fork");
  EXPECT_TRUE(stack_has_function(stall, "churn_before_fork")) << summary(stall);
  EXPECT_TRUE(stack_has_function(stall, "compute_within_fork")) << summary(stall);
}

}  // namespace
}  // namespace tailback::test
