// Debian's python3, asyncio.

#include <unistd.h>

#include <set>

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
  EXPECT_TRUE(advises(stall, "await asyncio.sleep()")) << stall["advice"];
  EXPECT_TRUE(stack_has_module(stall, "python3")) << summary(stall);
  EXPECT_TRUE(stack_has_function(stall, "Py_RunMain")) << summary(stall);
  EXPECT_TRUE(stall["stack_complete"].get<bool>()) << summary(stall);
}

TEST_F(PythonTest, StallsBetweenTurnsAreCounted) {
  WatchedProgram& program = start("sleep_between_turns.py", {"0.2", "5"});
  const Recording recording = finished(program);
  const std::vector<Block> blocks = announced_blocks(program);
  ASSERT_EQ(blocks.size(), 5u);
  ASSERT_TRUE(has_stalls(recording, blocks.size()));
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Json stall = recording.final_stalls()[i];
    EXPECT_TRUE(lasts(stall, blocks[i].length_ms));
    EXPECT_EQ(stall["pid"], blocks[i].pid);
    EXPECT_EQ(stall["cause"], "sleep");
  }
}

TEST_F(PythonTest, LoopsThatPollOrSelectAreLoops) {
  for (const char* wait : {"poll", "select"}) {
    WatchedProgram& program = start("other_loops.py", {wait});
    const Recording recording = finished(program);
    ASSERT_TRUE(has_stalls(recording, 1)) << wait;
    const Json stall = recording.final_stalls()[0];
    EXPECT_TRUE(lasts(stall, announced_blocks(program).at(0).length_ms));
    EXPECT_EQ(stall["cause"], "sleep");
    EXPECT_EQ(stall["loop"]["wait"], wait);
    EXPECT_TRUE(stall["loop"]["fd"].is_null());
  }
}

TEST_F(PythonTest, EachThreadHasItsOwnLoop) {
  WatchedProgram& program = start("other_loops.py", {"threads"});
  const Recording recording = finished(program);
  const std::vector<Block> blocks = announced_blocks(program);
  ASSERT_EQ(blocks.size(), 3u);
  ASSERT_TRUE(has_stalls(recording, blocks.size()));
  std::set<int> threads;
  for (size_t i = 0; i < blocks.size(); ++i) {  // both in the order in which they ended
    const Json stall = recording.final_stalls()[i];
    EXPECT_TRUE(lasts(stall, blocks[i].length_ms));
    EXPECT_EQ(stall["cause"], "sleep");
    threads.insert(stall["tid"].get<int>());
  }
  EXPECT_EQ(threads.size(), blocks.size());
}

TEST_F(PythonTest, ComputingIsCpu) {
  WatchedProgram& program = start("compute.py");
  const Recording recording = finished(program);
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_TRUE(lasts(stall, std::stod(program.announced("blocked"))));
  EXPECT_EQ(stall["cause"], "cpu");
  EXPECT_TRUE(stall["call"].is_null()) << summary(stall);
  EXPECT_TRUE(stack_has_module(stall, "python3")) << summary(stall);
  EXPECT_GT(stall["samples"].get<int>(), 1);
}

}  // namespace
}  // namespace tailback::test
