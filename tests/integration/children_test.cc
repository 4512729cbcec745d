// Processes that the program forks and runs are followed into the same session.

#include <unistd.h>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

constexpr char kPython[] = "/usr/bin/python3";

std::string script(const std::string& name) {
  return source_file("tests/integration/targets/python/" + name);
}

class ChildrenTest : public IntegrationTest {
 protected:
  void SetUp() override {
    if (access(kPython, X_OK) != 0) {
      GTEST_SKIP() << kPython << " is absent";
    }
  }

  WatchedProgram& run(std::vector<std::string> command) {
    WatchOptions options;
    options.command = std::move(command);
    return watch(options);
  }
};

TEST_F(ChildrenTest, HealthyChildren_Silent) {
  const std::string command = std::string(kPython) + " " + script("thousand_sleeps.py") + " & " +
                              kPython + " " + script("await_sleep.py") + " & wait";
  const Recording recording = finished(run({"/bin/bash", "-c", command}));
  EXPECT_TRUE(has_stalls(recording, 0));
  EXPECT_EQ(recording.end()["loops"].size(), 2u) << recording.end()["loops"].dump(2);
}

// Each process that says so has held its own loop up once, in a sleep.
void expect_one_sleep_each(const Recording& recording, const std::vector<Block>& blocks) {
  EXPECT_TRUE(has_stalls(recording, blocks.size()));
  for (const Block& block : blocks) {
    const std::vector<Json> stalls = recording.final_stalls_of(block.pid);
    ASSERT_EQ(stalls.size(), 1u) << "of pid " << block.pid;
    EXPECT_TRUE(lasts(stalls[0], block.length_ms));
    EXPECT_EQ(stalls[0]["cause"], "sleep");
  }
}

TEST_F(ChildrenTest, ShellChildren_Observed) {
  const std::string each = std::string(kPython) + " " + script("sleep_between_iterations.py");
  WatchedProgram& shell = run({"/bin/bash", "-c", each + " 0.3 1 & " + each + " 0.2 1 & wait"});
  const Recording recording = finished(shell);
  const std::vector<Block> blocks = announced_blocks(shell);
  ASSERT_EQ(blocks.size(), 2u);
  expect_one_sleep_each(recording, blocks);
}

TEST_F(ChildrenTest, Exec_SameProcess) {
  const std::string command = "echo shell $$; exec " + std::string(kPython) + " " +
                              script("sleep_between_iterations.py") + " 0.3 1";
  WatchedProgram& program = run({"/bin/sh", "-c", command});
  const Recording recording = finished(program);
  const std::vector<Block> blocks = announced_blocks(program);
  ASSERT_EQ(blocks.size(), 1u);
  expect_one_sleep_each(recording, blocks);
  EXPECT_EQ(program.announced("shell"), std::to_string(blocks[0].pid));
  EXPECT_EQ(recording.end()["processes"], 1);
  EXPECT_EQ(recording.end()["threads"], 1);
}

TEST_F(ChildrenTest, ShortLivedProcesses_CountedOnceEach) {
  const std::string command = "for i in 1 2 3 4 5; do /bin/true & done; wait";
  const Recording recording = finished(run({"/bin/bash", "-c", command}));
  EXPECT_EQ(recording.end()["processes"], 6);
  EXPECT_EQ(recording.end()["threads"], 6);
}

TEST_F(ChildrenTest, ShortLivedThreads_Counted) {
  const std::string program =
      "import threading\n"
      "threads = [threading.Thread(target=int) for _ in range(3)]\n"
      "for thread in threads: thread.start()\n"
      "for thread in threads: thread.join()\n";
  const Recording recording = finished(run({kPython, "-c", program}));
  EXPECT_EQ(recording.end()["processes"], 1);
  EXPECT_EQ(recording.end()["threads"], 4);
}

TEST_F(ChildrenTest, ForkedWorkers_Observed) {
  WatchedProgram& program = run({kPython, script("forked_workers.py")});
  const Recording recording = finished(program);
  const std::vector<Block> blocks = announced_blocks(program);
  ASSERT_EQ(blocks.size(), 3u);
  expect_one_sleep_each(recording, blocks);
}

}  // namespace
}  // namespace tailback::test
