// Debian's python3, asyncio.

#include <unistd.h>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

// The system's own, whatever else PATH has.
constexpr char kPython[] = "/usr/bin/python3";

class PythonTest : public IntegrationTest {
 protected:
  void SetUp() override {
    if (access(kPython, X_OK) != 0) {
      GTEST_SKIP() << kPython << " is absent";
    }
  }

  WatchedProgram& start(const std::string& script, const std::vector<std::string>& arguments = {}) {
    WatchOptions options;
    options.command = {kPython, source_file("tests/integration/targets/python/" + script)};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    return watch(options);
  }
};

TEST_F(PythonTest, AwaitedSleepIsNoStall) {
  EXPECT_TRUE(has_stalls(finished(start("await_sleep.py")), 0));
}

TEST_F(PythonTest, ThousandAwaitedSleepsAreNoStall) {
  EXPECT_TRUE(has_stalls(finished(start("thousand_sleeps.py")), 0));
}

TEST_F(PythonTest, TimeSleepIsOneStall) {
  const Recording recording = finished(start("time_sleep.py"));
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_TRUE(lasts(stall, 2000));
  EXPECT_EQ(stall["state"], "ended");
  EXPECT_EQ(stall["cause"], "sleep");
  EXPECT_EQ(stall["call"]["function"], "clock_nanosleep");
  EXPECT_EQ(stall["loop"]["wait"], "epoll_wait");
  EXPECT_TRUE(stack_has_module(stall, "python3")) << summary(stall);
  EXPECT_TRUE(stack_has_function(stall, "Py_RunMain")) << summary(stall);
  EXPECT_TRUE(stall["stack_complete"].get<bool>()) << summary(stall);
}

TEST_F(PythonTest, StallsBetweenTurnsAreCounted) {
  const Recording recording = finished(start("sleep_between_turns.py", {"0.2", "5"}));
  ASSERT_TRUE(has_stalls(recording, 5));
  for (const Json& stall : recording.final_stalls()) {
    EXPECT_TRUE(lasts(stall, 200));
    EXPECT_EQ(stall["cause"], "sleep");
  }
}

TEST_F(PythonTest, ComputingIsCpu) {
  const Recording recording = finished(start("compute.py"));
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_TRUE(lasts(stall, 400));
  EXPECT_EQ(stall["cause"], "cpu");
  EXPECT_TRUE(stall["call"].is_null()) << summary(stall);
  EXPECT_TRUE(stack_has_module(stall, "python3")) << summary(stall);
  EXPECT_GT(stall["samples"].get<int>(), 1);
}

}  // namespace
}  // namespace tailback::test
