// Programs that leave their event loop and go on: what they do then is no stall, what their last
// callbacks do is one.
#include <algorithm>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

class LoopEnds : public IntegrationTest {
 protected:
  WatchedProgram& start(const std::string& kind, const std::string& threshold = "50ms") {
    WatchOptions options;
    options.command = {built_program("ending_loops"), kind};
    options.threshold = threshold;
    return watch(options);
  }

  static std::vector<Json> after_loops(const Recording& recording) {
    std::vector<Json> notes = recording.lines();
    std::erase_if(notes, [](const Json& line) {
      return line.value("type", "") != "note" || line["kind"] != "after-loop";
    });
    return notes;
  }
};

std::string name_of(const std::string& kind) {
  std::string name = kind;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class WorkAfterLoop : public LoopEnds, public ::testing::WithParamInterface<const char*> {};

TEST_P(WorkAfterLoop, WorkAfterLoop_NotedOnceNoStall) {
  const Recording recording = finished(start(GetParam(), "200ms"));
  EXPECT_TRUE(has_stalls(recording, 0));
  const std::vector<Json> notes = after_loops(recording);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_GT(notes[0]["duration_ms"].get<double>(), 200) << notes[0];
  EXPECT_EQ(notes[0]["process"], "ending_loops");
  // The summary says the same.
  for (const Json& loop : recording.end()["loops"]) {
    EXPECT_LE(loop["longest_ms"].get<double>(), 200) << loop;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, WorkAfterLoop,
                         ::testing::Values("work after the loop", "work after run_loop",
                                           "long work after run_loop", "files saved after run_loop",
                                           "files saved in place", "computing after run_loop",
                                           "poll loop that starts again"),
                         [](const auto& kind) { return name_of(kind.param); });

class LastIteration : public LoopEnds, public ::testing::WithParamInterface<const char*> {};

TEST_P(LastIteration, StallBeforeExit_ReportedOnce) {
  WatchedProgram& program = start(GetParam());
  const Recording recording = finished(program);
  ASSERT_TRUE(has_stalls(recording, 1));
  EXPECT_TRUE(after_loops(recording).empty());
  const std::vector<Block> blocks = announced_blocks(program);
  ASSERT_EQ(blocks.size(), 1u);
  const Json stall = recording.final_stalls()[0];
  SCOPED_TRACE(summary(stall));
  EXPECT_EQ(stall["cause"], "sleep");
  EXPECT_TRUE(stack_has_function(stall, "hold_the_loop_up"));
  EXPECT_GE(stall["duration_ms"].get<double>(), blocks[0].length_ms - 1);
}

INSTANTIATE_TEST_SUITE_P(Kinds, LastIteration,
                         ::testing::Values("inlined loop", "loop in a function",
                                           "loop around iterations", "loop around waits",
                                           "poll loop", "another loop's first iteration",
                                           "exit from the callback"),
                         [](const auto& kind) { return name_of(kind.param); });

class LongLastIteration : public LoopEnds, public ::testing::WithParamInterface<const char*> {};

TEST_P(LongLastIteration, LongCallbackBeforeExit_LengthExact) {
  WatchedProgram& program = start(GetParam());
  const Recording recording = finished(program);
  ASSERT_TRUE(has_stalls(recording, 1));
  const std::vector<Block> blocks = announced_blocks(program);
  ASSERT_EQ(blocks.size(), 1u);
  const Json stall = recording.final_stalls()[0];
  SCOPED_TRACE(summary(stall));
  EXPECT_EQ(stall["cause"], "sleep");
  EXPECT_TRUE(stack_has_function(stall, "hold_the_loop_up"));
  EXPECT_GE(stall["duration_ms"].get<double>(), blocks[0].length_ms - 10);
  EXPECT_LT(stall["duration_ms"].get<double>(), blocks[0].length_ms + 300);
  EXPECT_NE(stall["limits"].dump().find("more after its loop was over"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Kinds, LongLastIteration,
                         ::testing::Values("last iteration and work",
                                           "last iteration and exit handlers"),
                         [](const auto& kind) { return name_of(kind.param); });

}  // namespace
}  // namespace tailback::test
