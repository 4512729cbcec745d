// The demos' coroutines: the same program with a blocking call in its loop, and with a timer.

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

class CoroutinesTest : public IntegrationTest {
 protected:
  Recording run(const std::string& demo) {
    WatchOptions options;
    options.command = {built_program(demo)};
    return finished(watch(options));
  }

  static std::vector<Expectation> expected_of(const std::string& demo) {
    return read_expectations(source_file("demos/coroutines/" + demo + ".cc"));
  }
};

TEST_F(CoroutinesTest, TimerInLoopHasNothingToReport) {
  ASSERT_EQ(expected_of("timer_in_loop").at(0).kind, Expectation::Kind::kNothing);
  EXPECT_TRUE(has_stalls(run("timer_in_loop"), 0));
}

TEST_F(CoroutinesTest, BlockingInLoopIsNamed) {
  const std::vector<Expectation> expected = expected_of("blocking_in_loop");
  const Recording recording = run("blocking_in_loop");
  ASSERT_TRUE(has_stalls(recording, expected.size()));
  for (size_t i = 0; i < expected.size(); ++i) {
    const Json stall = recording.final_stalls()[i];
    EXPECT_TRUE(matches(expected[i], stall));
    EXPECT_TRUE(lasts(stall, expected[i].length_ms.value()));
    EXPECT_TRUE(stack_has_function(stall, "call_bad")) << summary(stall);
  }
}

}  // namespace
}  // namespace tailback::test
