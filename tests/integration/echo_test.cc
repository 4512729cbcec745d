// The demos' echo servers: every callback that blocks is named, with its exact length.

#include <signal.h>

#include <algorithm>

#include "tests/integration/harness/busy_cpus.h"
#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

std::vector<Expectation> expectations(Expectation::Kind kind) {
  std::vector<std::filesystem::path> sources;
  for (const auto& entry : std::filesystem::directory_iterator(source_file("demos/echo"))) {
    if (entry.path().filename().string().ends_with("_callbacks.cc")) {
      sources.push_back(entry.path());
    }
  }
  std::sort(sources.begin(), sources.end());
  std::vector<Expectation> result;
  for (const std::filesystem::path& source : sources) {
    for (const Expectation& expected : read_expectations(source)) {
      if (expected.kind == kind) {
        result.push_back(expected);
      }
    }
  }
  return result;
}

Expectation expectation(const std::string& on) {
  for (const Expectation& expected : expectations(Expectation::Kind::kStall)) {
    if (expected.on == on) {
      return expected;
    }
  }
  throw std::runtime_error("no demo expects anything on \"" + on + "\"");
}

std::string test_name(const ::testing::TestParamInfo<Expectation>& info) {
  std::string name = info.param.on;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

class EchoTest : public IntegrationTest {
 protected:
  WatchedProgram& start(const std::string& name, WatchOptions options = {}) {
    options.command = {built_program(name)};
    return watch(options);
  }

  // A few iterations of the loop, so that it is known as one.
  static void warm_up(LineClient& client) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(client.ask("hello"), "hello");
    }
  }

  // The longest iteration so far, by the server's own clock.
  static double longest_iteration(LineClient& client) { return std::stod(client.ask("longest")); }
};

TEST_F(EchoTest, Healthy_Silent) {
  WatchedProgram& server = start("healthy_echo");
  LineClient client(server.port());
  constexpr int kLines = 2000;
  for (int i = 0; i < kLines; ++i) {
    ASSERT_EQ(client.ask("sleep nanosleep 300"), "sleep nanosleep 300");
  }
  client.ask("quit");
  const Recording recording = finished(server);
  EXPECT_TRUE(has_stalls(recording, 0));
  ASSERT_EQ(recording.end()["loops"].size(), 1u);
  const Json& loop = recording.end()["loops"][0];
  EXPECT_EQ(loop["loop"]["wait"], "epoll_wait");
  EXPECT_GE(loop["iterations"].get<int>(), kLines);
}

TEST_F(EchoTest, Idle_Silent) {
  WatchedProgram& server = start("healthy_echo");
  LineClient client(server.port());
  warm_up(client);
  std::this_thread::sleep_for(Milliseconds(1000));  // the server waits for events all this time
  warm_up(client);
  client.ask("quit");
  EXPECT_TRUE(has_stalls(finished(server), 0));
}

TEST_F(EchoTest, BelowThreshold_Silent) {
  WatchedProgram& server = start("blocking_echo");
  LineClient client(server.port());
  warm_up(client);
  for (int i = 0; i < 10; ++i) {
    client.ask("sleep nanosleep 60");
  }
  client.ask("quit");
  EXPECT_TRUE(has_stalls(finished(server), 0));
}

class EchoCallbackTest : public EchoTest, public ::testing::WithParamInterface<Expectation> {};

TEST_P(EchoCallbackTest, BlockedCallback_NamedWithLength) {
  WatchedProgram& server = start("blocking_echo");
  LineClient client(server.port());
  warm_up(client);
  EXPECT_EQ(client.ask(GetParam().on + " 300"), "done");
  const double true_ms = longest_iteration(client);
  client.ask("quit");
  const Recording recording = finished(server);
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["state"], "ended");
  EXPECT_TRUE(matches(GetParam(), stall));
  EXPECT_TRUE(lasts(stall, true_ms));
  EXPECT_TRUE(stall["stack_complete"].get<bool>()) << summary(stall);
  EXPECT_TRUE(stack_has_function(stall, "main")) << summary(stall);
  EXPECT_FALSE(stall["advice"].get<std::string>().empty());
  EXPECT_NE(server.text_report().find(GetParam().function), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Demos, EchoCallbackTest,
                         ::testing::ValuesIn(expectations(Expectation::Kind::kStall)), test_name);

TEST_F(EchoTest, ManyStalls_EachCountedOnce) {
  WatchedProgram& server = start("blocking_echo");
  LineClient client(server.port());
  warm_up(client);
  constexpr size_t kStalls = 10;
  for (size_t i = 0; i < kStalls; ++i) {
    client.ask("sleep nanosleep 150");
    client.ask("sleep nanosleep 40");
    client.ask("hello");
  }
  client.ask("quit");
  const Recording recording = finished(server);
  ASSERT_TRUE(has_stalls(recording, kStalls));
  const std::vector<Json> stalls = recording.final_stalls();
  for (const Json& stall : stalls) {
    EXPECT_TRUE(matches(expectation("sleep nanosleep"), stall));
    EXPECT_EQ(stall["fingerprint"], stalls[0]["fingerprint"]);
  }
}

TEST_F(EchoTest, WaitingClients_PendingEventsReported) {
  WatchedProgram& server = start("blocking_echo");
  LineClient client(server.port());
  warm_up(client);
  std::vector<std::unique_ptr<LineClient>> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(std::make_unique<LineClient>(server.port()));
    warm_up(*waiting.back());
  }
  client.send("sleep nanosleep 400");
  std::this_thread::sleep_for(Milliseconds(150));
  for (const auto& other : waiting) {
    other->send("hello");
  }
  EXPECT_EQ(client.receive(), "done");
  for (const auto& other : waiting) {
    EXPECT_EQ(other->receive(), "hello");
  }
  client.ask("quit");
  const Recording recording = finished(server);
  ASSERT_TRUE(has_stalls(recording, 1));
  EXPECT_EQ(recording.final_stalls()[0]["pending_events"], waiting.size());
}

TEST_F(EchoTest, BusyMachine_LengthsExact) {
  const BusyCpus load(static_cast<int>(std::thread::hardware_concurrency()));
  WatchedProgram& server = start("blocking_echo");
  LineClient client(server.port());
  warm_up(client);
  const std::vector<std::string> blocks = {"sleep nanosleep", "pipe read",      "lock mutex",
                                           "socket recv",     "wait condition", "process waitpid",
                                           "dns getaddrinfo", "sleep sleep_for"};
  std::vector<double> true_ms;
  for (size_t i = 0; i < blocks.size(); ++i) {
    client.ask(blocks[i] + " " + std::to_string(200 + 40 * i));
    true_ms.push_back(longest_iteration(client));
  }
  client.ask("quit");
  const Recording recording = finished(server);
  ASSERT_TRUE(has_stalls(recording, blocks.size()));
  const std::vector<Json> stalls = recording.final_stalls();
  for (size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_TRUE(matches(expectation(blocks[i]), stalls[i]));
    EXPECT_TRUE(lasts(stalls[i], true_ms[i]));
  }
}

// On a CPU that others keep busy, at a low priority: the callback works for 20 ms, and is kept
// waiting for the CPU during the rest of a long iteration. That is not the program's fault.
TEST_F(EchoTest, StarvedLoop_RunQueueWait) {
  const BusyCpus load(3, 0);
  WatchOptions options;
  options.cpu = 0;
  options.nice = 10;
  WatchedProgram& server = start("blocking_echo", options);
  LineClient client(server.port());
  warm_up(client);
  client.ask("cpu work 20");
  const double true_ms = longest_iteration(client);
  client.ask("quit");
  if (true_ms < 150) {
    GTEST_SKIP() << "this machine gave the server its CPU after " << true_ms << " ms";
  }
  const Recording recording = finished(server, exited(0), std::chrono::seconds(60));
  ASSERT_GE(recording.final_stalls().size(), 1u);
  for (const Json& stall : recording.final_stalls()) {
    EXPECT_EQ(stall["cause"], "run-queue-wait") << summary(stall);
  }
}

// A callback that computes for longer than the threshold is to blame, also where others make it
// take three times as long.
TEST_F(EchoTest, ComputingOnBusyMachine_Cpu) {
  const BusyCpus load(2, 0);
  WatchOptions options;
  options.cpu = 0;
  WatchedProgram& server = start("blocking_echo", options);
  LineClient client(server.port());
  warm_up(client);
  client.ask("cpu work 300");
  const double true_ms = longest_iteration(client);
  client.ask("quit");
  const Recording recording = finished(server);
  ASSERT_TRUE(has_stalls(recording, 1));
  EXPECT_TRUE(matches(expectation("cpu work"), recording.final_stalls()[0]));
  EXPECT_TRUE(lasts(recording.final_stalls()[0], true_ms));
}

class StuckEchoTest : public EchoTest, public ::testing::WithParamInterface<Expectation> {};

TEST_P(StuckEchoTest, StuckCallback_ReportedWhileOngoing) {
  WatchedProgram& server = start("blocking_echo");
  LineClient client(server.port());
  warm_up(client);
  // One that takes a lock twice is a deadlock, too.
  const bool is_deadlock = GetParam().causes == std::vector<std::string>{"lock"};
  if (is_deadlock) expect_deadlocks();
  client.send(GetParam().on + " 0");
  ASSERT_TRUE(eventually(std::chrono::seconds(10),
                         [&] { return !server.recording().stalls("ongoing").empty(); }));
  const Json ongoing = server.recording().stalls("ongoing").at(0);
  EXPECT_TRUE(matches(GetParam(), ongoing));
  EXPECT_FALSE(server.recording().complete());

  std::this_thread::sleep_for(Milliseconds(500));
  kill(ongoing["pid"].get<int>(), SIGKILL);
  const Recording recording = finished(server, killed(SIGKILL));
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json last = recording.final_stalls()[0];
  EXPECT_EQ(last["state"], "unfinished");
  EXPECT_EQ(last["id"], ongoing["id"]);
  EXPECT_GE(last["duration_ms"].get<double>(), ongoing["duration_ms"].get<double>() + 400);
  EXPECT_TRUE(matches(GetParam(), last));
  EXPECT_EQ(recording.end()["signal"], SIGKILL);
  EXPECT_EQ(recording.deadlocks().size(), is_deadlock ? 1u : 0u);
}

INSTANTIATE_TEST_SUITE_P(Demos, StuckEchoTest,
                         ::testing::ValuesIn(expectations(Expectation::Kind::kStuck)), test_name);

}  // namespace
}  // namespace tailback::test
