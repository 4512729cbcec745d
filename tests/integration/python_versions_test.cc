// CPython 3.8 to 3.14, as far as this machine has them, and a build that is recognised only.

#include <unistd.h>

#include "tests/integration/harness/integration_test.h"
#include "tests/unit/python_versions.h"
#include "tests/unit/running_python.h"

namespace tailback::test {
namespace {

class PythonBuildsTest : public IntegrationTest {
 protected:
  WatchedProgram& start(const std::string& command, const std::string& script,
                        const std::vector<std::string>& arguments = {}) {
    WatchOptions options;
    options.command = {command, source_file("tests/integration/targets/python/" + script)};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    return watch(options);
  }
};

class PythonVersionsTest : public PythonBuildsTest,
                           public testing::WithParamInterface<std::string> {};

TEST_P(PythonVersionsTest, SleepOnlyCallback_Reported) {
  const std::string command = python_command(GetParam());
  if (command.empty()) GTEST_SKIP() << "no Python " << GetParam() << " on this machine";
  WatchedProgram& program = start(command, "sleeping_callbacks.py");
  const Recording recording = finished(program);
  const std::vector<Block> blocks = announced_blocks(program);
  ASSERT_EQ(blocks.size(), 10u);
  ASSERT_TRUE(has_stalls(recording, blocks.size()));
  for (const Json& stall : recording.final_stalls()) {
    EXPECT_EQ(stall["cause"], "sleep") << summary(stall);
    EXPECT_EQ(stall["loop"]["wait"], "epoll_wait");
    EXPECT_GE(stall["duration_ms"].get<double>(), 199);
    EXPECT_EQ(stall["stack"][stall["culprit"].get<size_t>()]["function"], "<module>");
  }
}

TEST_P(PythonVersionsTest, Task_Named) {
  const std::string command = python_command(GetParam());
  if (command.empty()) GTEST_SKIP() << "no Python " << GetParam() << " on this machine";
  const Recording recording = finished(start(command, "time_sleep.py"));
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  const Json& culprit = stall["stack"][stall["culprit"].get<size_t>()];
  EXPECT_EQ(culprit["function"], "bad") << summary(stall);
  EXPECT_EQ(culprit["line"], 8);
  EXPECT_EQ(stall["task"], "Task-1") << summary(stall);
}

TEST_P(PythonVersionsTest, LockOwner_NamedWithStack) {
  const std::string command = python_command(GetParam());
  if (command.empty()) GTEST_SKIP() << "no Python " << GetParam() << " on this machine";
  const Recording recording = finished(start(command, "rlock.py"));
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["cause"], "lock") << summary(stall);
  const Json& culprit = stall["stack"][stall["culprit"].get<size_t>()];
  EXPECT_EQ(culprit["function"], "main") << summary(stall);
  const Json& call = stall["call"];
  EXPECT_NE(call["object"].get<std::string>().find(", held by thread "), std::string::npos) << call;
  ASSERT_TRUE(call.contains("owner_stack")) << call;
  EXPECT_EQ(call["owner_stack"][0]["function"], "keep") << call;
  EXPECT_EQ(call["owner_stack"][0]["line"], 14) << call;
}

INSTANTIATE_TEST_SUITE_P(Of, PythonVersionsTest, testing::ValuesIn(kPythonVersions),
                         test_name_of_version<testing::TestParamInfo<std::string>>);

TEST_F(PythonBuildsTest, DebugBuild_LimitSaidOnce) {
  const std::string command = "/usr/bin/python3.11-dbg";
  if (access(command.c_str(), X_OK) != 0) GTEST_SKIP() << command << " is absent";
  const Recording recording = finished(start(command, "sleep_between_iterations.py", {"0.2", "3"}));
  ASSERT_TRUE(has_stalls(recording, 3));
  size_t notes = 0;
  for (const Json& stall : recording.final_stalls()) {
    EXPECT_EQ(stall["cause"], "sleep");
    EXPECT_TRUE(stack_has_function(stall, "_PyEval_EvalFrameDefault")) << summary(stall);
    for (const Json& frame : stall["stack"]) EXPECT_EQ(frame["language"], "native");
    for (const Json& note : stall["limits"])
      notes +=
          note["text"].get<std::string>().starts_with("a debug build of Python 3.11: ") ? 1 : 0;
  }
  EXPECT_EQ(notes, 1u);
}

}  // namespace
}  // namespace tailback::test
