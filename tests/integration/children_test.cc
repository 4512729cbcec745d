// Processes that the program forks and runs are followed into the same session.

#include <unistd.h>

#include <set>
#include <sstream>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

constexpr char kPython[] = "/usr/bin/python3";

std::string script(const std::string& name) {
  return source_file("tests/integration/targets/python/" + name);
}

// The numbers after each "WORD " that begins a line.
std::set<int> announced_pids(const std::string& output, const std::string& word) {
  std::set<int> pids;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(word + " ")) {
      pids.insert(std::stoi(line.substr(word.size() + 1)));
    }
  }
  return pids;
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

TEST_F(ChildrenTest, HealthyChildrenHaveNothingToReport) {
  const std::string command = std::string(kPython) + " " + script("thousand_sleeps.py") + " & " +
                              kPython + " " + script("await_sleep.py") + " & wait";
  const Recording recording = finished(run({"/bin/bash", "-c", command}));
  EXPECT_TRUE(has_stalls(recording, 0));
  EXPECT_EQ(recording.end()["loops"].size(), 2u) << recording.end()["loops"].dump(2);
}

TEST_F(ChildrenTest, ChildrenOfAShellAreFollowed) {
  const std::string each = std::string(kPython) + " " + script("sleep_between_turns.py");
  WatchedProgram& shell = run({"/bin/bash", "-c", each + " 0.3 1 & " + each + " 0.3 1 & wait"});
  const Recording recording = finished(shell);
  const std::set<int> pids = announced_pids(shell.output(), "pid");
  ASSERT_EQ(pids.size(), 2u);
  EXPECT_TRUE(has_stalls(recording, 2));
  for (const int pid : pids) {
    const std::vector<Json> stalls = recording.final_stalls_of(pid);
    ASSERT_EQ(stalls.size(), 1u) << "of pid " << pid;
    EXPECT_TRUE(lasts(stalls[0], 300));
    EXPECT_EQ(stalls[0]["cause"], "sleep");
  }
}

TEST_F(ChildrenTest, ExecKeepsTheProcess) {
  const std::string command = "echo shell $$; exec " + std::string(kPython) + " " +
                              script("sleep_between_turns.py") + " 0.3 1";
  WatchedProgram& program = run({"/bin/sh", "-c", command});
  const Recording recording = finished(program);
  ASSERT_TRUE(has_stalls(recording, 1));
  EXPECT_EQ(recording.final_stalls()[0]["pid"].dump(), program.announced("shell"));
  EXPECT_EQ(program.announced("pid"), program.announced("shell"));
}

TEST_F(ChildrenTest, ForkedWorkersAreFollowed) {
  WatchedProgram& program = run({kPython, script("forked_workers.py")});
  const Recording recording = finished(program);
  const std::set<int> workers = announced_pids(program.output(), "worker");
  ASSERT_EQ(workers.size(), 3u);
  EXPECT_TRUE(has_stalls(recording, 3));
  std::set<int> lengths;
  for (const int pid : workers) {
    const std::vector<Json> stalls = recording.final_stalls_of(pid);
    ASSERT_EQ(stalls.size(), 1u) << "of pid " << pid;
    EXPECT_EQ(stalls[0]["cause"], "sleep");
    const double length = stalls[0]["duration_ms"].get<double>();
    lengths.insert(static_cast<int>(length / 100));
    EXPECT_TRUE(lasts(stalls[0], static_cast<int>(length / 100) * 100.0));
  }
  EXPECT_EQ(lengths, (std::set<int>{2, 3, 4}));
}

}  // namespace
}  // namespace tailback::test
