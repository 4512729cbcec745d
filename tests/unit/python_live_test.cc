// The Pythons of this machine, read from outside while their threads stand still.
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/interpreters/python/processes.h"
#include "tests/unit/python_versions.h"
#include "tests/unit/running_python.h"

namespace tailback {
namespace {

class PythonLive : public testing::TestWithParam<std::string> {};

std::vector<InterpretedFrame> without_marks(std::vector<InterpretedFrame> frames) {
  for (InterpretedFrame& frame : frames) frame.ends_call = false;
  return frames;
}

TEST_P(PythonLive, Frames_EqualPythonsOwn) {
  const std::string command = python_command(GetParam());
  if (command.empty()) GTEST_SKIP() << "no Python " << GetParam() << " on this machine";
  const RunningPython running(command);
  ASSERT_EQ(running.threads().size(), 11u);
  PythonProcesses processes;
  for (int round = 0; round < 2; ++round) {  // found, and known
    for (const PythonImage::Thread& thread : running.threads()) {
      processes.prepare(running.pid(), thread.tid, running.modules());
      const auto copy = processes.copy(running.pid(), thread.tid, nullptr);
      ASSERT_TRUE(copy);
      const InterpreterStack stack = copy->decode();
      ASSERT_EQ(stack.unreadable, "");
      EXPECT_EQ(stack.failure, "");
      EXPECT_TRUE(stack.complete);
      ASSERT_EQ(stack.frames.size(), thread.frames.size());
      const auto frames = without_marks(stack.frames);
      const auto [ours, theirs] =
          std::mismatch(frames.begin(), frames.end(), thread.frames.begin());
      if (ours != frames.end()) {
        EXPECT_EQ(ours->function, theirs->function);
        EXPECT_EQ(ours->file, theirs->file);
        EXPECT_EQ(ours->line, theirs->line) << ours->function;
      }
      EXPECT_TRUE(stack.frames.back().ends_call);
    }
  }
  processes.prepare(running.pid(), 1, running.modules());
  EXPECT_FALSE(processes.copy(running.pid(), 1, nullptr)) << "a thread that is none";
}

INSTANTIATE_TEST_SUITE_P(Versions, PythonLive, testing::ValuesIn(kPythonVersions),
                         test_name_of_version<testing::TestParamInfo<std::string>>);

}  // namespace
}  // namespace tailback
