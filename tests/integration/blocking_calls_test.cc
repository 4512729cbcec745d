// BlockingCalls: calls on a loop that wait, or might, though no iteration gets too long; and what a
// session says of itself while it goes on.
#include <signal.h>

#include <algorithm>
#include <array>
#include <map>
#include <thread>

#include "tests/integration/harness/busy_cpus.h"
#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

// Iterations of the target that do something of note.
constexpr unsigned kTimes = 10;

class BlockingCallsTest : public IntegrationTest {
 protected:
  WatchedProgram& start(const std::string& mode, Variables environment, bool bare = false) {
    WatchOptions options;
    options.command = {built_program("blocking_calls"), mode};
    options.environment = std::move(environment);
    options.threshold = "1s";
    options.bare_preload = bare;
    return watch(options);
  }

  static std::vector<Json> blocking_calls(const Recording& recording, std::string_view state) {
    std::vector<Json> found;
    for (const Json& line : recording.lines()) {
      if (line["type"] == "blocking-call" && line["state"] == state) found.push_back(line);
    }
    return found;
  }
  static ::testing::AssertionResult has_no_blocking_calls(const Recording& recording) {
    const std::vector<Json> found = blocking_calls(recording, "sum");
    if (found.empty()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure()
           << found.size() << ", the first " << summary(found.front());
  }
  static std::map<std::string, Json> sums(const Recording& recording) {
    std::map<std::string, Json> by_culprit;
    for (const Json& blocking_call : blocking_calls(recording, "sum")) {
      if (blocking_call["culprit"].is_null()) continue;
      const Json& frame = blocking_call["stack"][blocking_call["culprit"].get<size_t>()];
      const std::string name = frame["function"].is_null() ? "?" : frame["function"];
      by_culprit[name.substr(name.rfind("::") + 1)] = blocking_call;
    }
    return by_culprit;
  }
};

TEST_F(BlockingCallsTest, NonBlockingCalls_Silent) {
  const Recording quiet = finished(start("none", {{"TAILBACK_BLOCKING_CALLS", "1"}}));
  EXPECT_TRUE(has_stalls(quiet, 0));
  EXPECT_TRUE(has_no_blocking_calls(quiet));
  const Recording strict = finished(start("none", {{"TAILBACK_STRICT", "1"}}));
  EXPECT_TRUE(has_stalls(strict, 0));
  EXPECT_TRUE(has_no_blocking_calls(strict));
  EXPECT_EQ(strict.end()["counts"]["blocking_call"]["reported"], 0);
}

TEST_F(BlockingCallsTest, OptionOff_Silent) {
  const Recording recording = finished(start("slow", {}));
  EXPECT_TRUE(blocking_calls(recording, "seen").empty());
  EXPECT_TRUE(has_no_blocking_calls(recording));
}

TEST_F(BlockingCallsTest, WaitingCalls_SummedByCulprit) {
  WatchedProgram& program = start("slow", {{"TAILBACK_BLOCKING_CALLS", "1"}});
  const Recording recording = finished(program);
  EXPECT_TRUE(has_stalls(recording, 0));
  auto found = sums(recording);
  ASSERT_EQ(found.size(), 2u) << recording.lines().back();
  const uint64_t unseen = recording.end()["counts"]["blocking_call"]["lost"];
  uint64_t calls = 0;
  struct Expected {
    const char* culprit;
    const char* call;
    const char* cause;
    double least_ms;
  };
  constexpr std::array kExpected = {Expected{"ask_peer", "recv", "socket", 5.9},
                                    Expected{"take_a_nap", "usleep", "sleep", 3.0}};
  for (const auto& [culprit, call, cause, least_ms] : kExpected) {
    const Json blocking_call = found.at(std::string(":") + culprit + "()");
    EXPECT_EQ(blocking_call["kind"], "waited");
    EXPECT_EQ(blocking_call["cause"], cause);
    EXPECT_EQ(blocking_call["call"]["function"], call);
    EXPECT_GE(blocking_call["count"], 1u);
    EXPECT_LE(blocking_call["count"], kTimes);
    EXPECT_GE(blocking_call["longest_ms"], least_ms);
    EXPECT_GE(blocking_call["total_ms"], blocking_call["count"].get<double>() * least_ms);
    EXPECT_EQ(blocking_call["loop"]["wait"], "epoll_wait");
    EXPECT_FALSE(blocking_call["advice"].get<std::string>().empty());
    calls += blocking_call["count"].get<uint64_t>();
  }
  // Each is told or counted as unseen; on a busy machine others may take as long without waiting.
  EXPECT_GE(calls + unseen, 2 * kTimes);
  EXPECT_EQ(blocking_calls(recording, "seen").size(), 2u);
  const Json& counts = recording.end()["counts"]["blocking_call"];
  EXPECT_EQ(counts["reported"].get<uint64_t>() + counts["repeated"].get<uint64_t>(), calls);
  EXPECT_NE(program.text_report().find("2 blocking calls on loop threads"), std::string::npos)
      << program.text_report();
}

TEST_F(BlockingCallsTest, Strict_QuickCallThatMayBlockReported) {
  const Recording recording = finished(start("quick", {{"TAILBACK_STRICT", "1"}}));
  EXPECT_TRUE(has_stalls(recording, 0));
  std::map<std::string, std::string> calls;
  for (const Json& blocking_call : blocking_calls(recording, "sum")) {
    EXPECT_EQ(blocking_call["kind"], "may-block");
    calls[blocking_call["call"]["function"]] = blocking_call["cause"];
    if (blocking_call["call"]["function"] == "nanosleep") {
      EXPECT_TRUE(stack_has_function(blocking_call, "sleep_shortly")) << summary(blocking_call);
    }
  }
  const std::map<std::string, std::string> expected = {
      {"read", "ipc"},          {"write", "ipc"},       {"nanosleep", "sleep"},
      {"waitid", "process"},    {"waitpid", "process"}, {"getaddrinfo", "dns"},
      {"pthread_join", "wait"}, {"flock", "file"}};
  EXPECT_EQ(calls, expected);
}

TEST_F(BlockingCallsTest, FailOn_StatusSet) {
  finished(start("none", {{"TAILBACK_STRICT", "1"}, {"TAILBACK_FAIL_ON", "blocking-call"}}));
  finished(start("slow", {{"TAILBACK_BLOCKING_CALLS", "1"}, {"TAILBACK_FAIL_ON", "stall"}}));
  finished(start("slow",
                 {{"TAILBACK_BLOCKING_CALLS", "1"}, {"TAILBACK_FAIL_ON", "stall,blocking-call"}}),
           exited(66));
}

TEST_F(BlockingCallsTest, Suppressed_NotReported) {
  const std::string rules =
      directory().write("known.supp", "function=*ask_peer*\nfunction=*take_a_nap*\n");
  const Recording recording = finished(start("slow", {{"TAILBACK_BLOCKING_CALLS", "1"},
                                                      {"TAILBACK_FAIL_ON", "blocking-call"},
                                                      {"TAILBACK_SUPPRESSIONS", rules}}));
  EXPECT_TRUE(has_no_blocking_calls(recording));
  EXPECT_GE(recording.end()["counts"]["blocking_call"]["suppressed"], 2u);
  for (const Json& rule : recording.end()["suppressions"]) EXPECT_GE(rule["matches"], 1u) << rule;
}

TEST_F(BlockingCallsTest, BarePreload_Reported) {
  const Recording recording = finished(start("slow", {{"TAILBACK_BLOCKING_CALLS", "1"}}, true));
  EXPECT_EQ(sums(recording).size(), 2u);
}

TEST_F(BlockingCallsTest, StarvedThread_Silent) {
  const BusyCpus busy(2 * static_cast<int>(std::thread::hardware_concurrency()));
  const Recording quiet = finished(start("none", {{"TAILBACK_BLOCKING_CALLS", "1"}}));
  EXPECT_TRUE(has_no_blocking_calls(quiet));
}

TEST_F(BlockingCallsTest, Sigusr1_PrintsStatus) {
  WatchOptions options;
  options.command = {built_program("healthy_echo")};
  WatchedProgram& server = watch(options);
  LineClient client(server.port());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.ask("hello"), "hello");
  const pid_t observer = server.recording().session()["observer_pid"];
  ASSERT_EQ(kill(observer, SIGUSR1), 0);
  const auto statuses = [&] {
    std::vector<Json> found;
    const Recording recording = server.recording();
    for (const Json& line : recording.lines()) {
      if (line["type"] == "status") found.push_back(line);
    }
    return found;
  };
  ASSERT_TRUE(eventually(std::chrono::seconds(20), [&] { return statuses().size() == 1; }));
  ASSERT_EQ(kill(observer, SIGUSR1), 0);
  ASSERT_TRUE(eventually(std::chrono::seconds(20), [&] { return statuses().size() == 2; }));
  client.ask("quit");
  finished(server);
  const Json status = statuses()[0];
  EXPECT_EQ(status["stalls"], 0);
  ASSERT_EQ(status["loops"].size(), 1u);
  EXPECT_GE(status["loops"][0]["iterations"], 20);
  EXPECT_GE(status["loops"][0]["p999_ms"], status["loops"][0]["p50_ms"]);
  EXPECT_NE(server.text_report().find("so far, in "), std::string::npos) << server.text_report();
}

}  // namespace
}  // namespace tailback::test
