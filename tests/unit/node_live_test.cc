// The Nodes of this machine, read from outside while their threads stand still, against what V8
// itself says of the same stack.
#include <gtest/gtest.h>

#include <tuple>

#include "runtime/interpreters/v8/processes.h"
#include "tests/unit/node_command.h"
#include "tests/unit/node_versions.h"
#include "tests/unit/running_node.h"

namespace tailback {
namespace {

class NodeLive : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

// Those that hang together, of the one thread that has some of the target's.
std::vector<InterpretedFrame> linked_frames(const RunningNode& running, V8Processes& processes) {
  std::vector<InterpretedFrame> found;
  for (const Snapshot& snapshot : running.snapshots()) {
    const auto copy = processes.copy(running.pid(), snapshot.tid, &snapshot);
    if (!copy) continue;
    std::vector<InterpretedFrame> frames;
    bool is_target = false;
    for (const InterpretedFrame& frame : copy->decode().frames) {
      if (frame.linked) frames.push_back(frame);
      is_target = is_target || (frame.linked && frame.function == "closes");
    }
    if (is_target) found = frames;
  }
  return found;
}

void expect_same(const std::vector<InterpretedFrame>& ours,
                 const std::vector<InterpretedFrame>& theirs) {
  // Ours go on inwards: to the call that waits.
  ASSERT_GT(theirs.size(), 20u);
  ASSERT_GT(ours.size(), theirs.size());
  const size_t first = ours.size() - theirs.size();
  for (size_t i = 0; i < theirs.size(); ++i) {
    SCOPED_TRACE(theirs[i].function + ":" + std::to_string(theirs[i].line));
    EXPECT_EQ(ours[first + i].failure, "");
    EXPECT_EQ(ours[first + i].function, theirs[i].function);
    EXPECT_EQ(ours[first + i].file, theirs[i].file);
    EXPECT_EQ(ours[first + i].line, theirs[i].line);
  }
}

TEST_P(NodeLive, Frames_EqualV8sOwn) {
  const auto& [version, way] = GetParam();
  const std::string command = node_command(version);
  if (command.empty()) GTEST_SKIP() << "no Node " << version << " on this machine";
  const RunningNode running(command, way);
  V8Processes processes;
  processes.prepare(running.pid(), running.pid(), running.modules());
  for (int round = 0; round < 2; ++round)  // sources read, and known
    expect_same(linked_frames(running, processes), running.frames());
}

TEST_P(NodeLive, BaselineCode_FramesEqualV8sOwn) {
  const auto& [version, way] = GetParam();
  const std::string command = node_command(version);
  if (command.empty()) GTEST_SKIP() << "no Node " << version << " on this machine";
  const RunningNode running(command, way, {"--sparkplug", "--always-sparkplug"});
  V8Processes processes;
  processes.prepare(running.pid(), running.pid(), running.modules());
  expect_same(linked_frames(running, processes), running.frames());
}

INSTANTIATE_TEST_SUITE_P(Versions, NodeLive,
                         testing::Combine(testing::ValuesIn(kNodeVersions),
                                          testing::Values("main", "worker")),
                         [](const auto& chosen) {
                           return std::get<0>(chosen.param) + "_" + std::get<1>(chosen.param);
                         });

}  // namespace
}  // namespace tailback
