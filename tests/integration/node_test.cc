// node: the ways in which JavaScript holds libuv's loop up.

#include <sys/stat.h>

#include <set>

#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

class NodeTest : public IntegrationTest {
 protected:
  void SetUp() override { TAILBACK_NEEDS("node"); }

  WatchedProgram& start(const std::string& script, const std::vector<std::string>& arguments = {}) {
    WatchOptions options;
    options.command = {*find_program("node"),
                       source_file("tests/integration/targets/node/" + script)};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    return watch(options);
  }

  // The one stall of blocks.js, which held the loop up in this way.
  Json only_stall(const std::vector<std::string>& way) {
    WatchedProgram& program = start("blocks.js", way);
    const Recording recording = finished(program);
    EXPECT_TRUE(has_stalls(recording, 1));
    if (recording.final_stalls().size() != 1) {
      return Json();
    }
    const Json stall = recording.final_stalls()[0];
    EXPECT_TRUE(lasts(stall, std::stod(program.announced("blocked"))));
    EXPECT_TRUE(stack_has_module(stall, "node")) << summary(stall);
    return stall;
  }
};

TEST_F(NodeTest, Timers_Silent) {
  EXPECT_TRUE(has_no_stall_of_its_own(finished(start("blocks.js", {"nothing"}))));
}

TEST_F(NodeTest, TimersApart_Silent) {
  EXPECT_TRUE(has_no_stall_of_its_own(finished(start("two_timers.js", {"apart"}))));
}

TEST_F(NodeTest, TimersOfOneIteration_ReportedAsTwo) {
  const Recording recording = finished(start("two_timers.js", {"together"}));
  ASSERT_TRUE(has_stalls(recording, 3));
  for (const Json& stall : recording.final_stalls()) {
    EXPECT_GE(stall["duration_ms"].get<double>(), 140);
    std::set<std::string> entries;
    for (const Json& callback : stall["callbacks"]) {
      entries.insert(callback["entry"]["function"].get<std::string>());
    }
    EXPECT_EQ(entries, (std::set<std::string>{"pollSensors", "pollMeters"})) << summary(stall);
  }
}

TEST_F(NodeTest, ServerUnderLoad_Silent) {
  TAILBACK_NEEDS("wrk");
  WatchedProgram& server = start("healthy_server.js");
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port());
  Process load = run_helper(
      "wrk", {*find_program("wrk"), "-t1", "-c20", long_tests() ? "-d10s" : "-d3s", url + "/"});
  EXPECT_EQ(load.wait(std::chrono::seconds(30)), exited(0));
  LineClient(server.port()).ask("GET /quit HTTP/1.1\r\nHost: x\r\n\r");
  const Recording recording = finished(server);
  EXPECT_TRUE(has_no_stall_of_its_own(recording));
  ASSERT_FALSE(recording.end()["loops"].empty());
  EXPECT_GT(recording.end()["loops"][0]["iterations"].get<int>(), 100);
}

TEST_F(NodeTest, ExecSync_Named) {
  const Json stall = only_stall({"exec_sync"});
  ASSERT_TRUE(stall.is_object());
  EXPECT_EQ(stall["cause"], "process") << summary(stall);
  EXPECT_TRUE(advises(stall, "in place of execFileSync, execSync")) << stall["advice"];
  EXPECT_TRUE(stack_has_function(stall, "node::SyncProcessRunner::Spawn")) << summary(stall);
}

TEST_F(NodeTest, FifoRead_Named) {
  const std::string fifo = directory().path() / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const Json stall = only_stall({"read_fifo", fifo});
  ASSERT_TRUE(stall.is_object());
  EXPECT_EQ(stall["cause"], "ipc") << summary(stall);
  EXPECT_EQ(stall["call"]["function"], "open64") << summary(stall);
  EXPECT_EQ(stall["call"]["object"], fifo) << summary(stall);
}

TEST_F(NodeTest, Computing_Cpu) {
  const Json stall = only_stall({"compute"});
  ASSERT_TRUE(stall.is_object());
  EXPECT_EQ(stall["cause"], "cpu") << summary(stall);
  EXPECT_TRUE(stall["call"].is_null()) << summary(stall);
}

}  // namespace
}  // namespace tailback::test
