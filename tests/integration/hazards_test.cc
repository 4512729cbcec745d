// Hazards: calls on a loop that wait, or might, though no turn gets too long; and what a session
// says of itself while it goes on.
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

// Turns of the target that do something of note.
constexpr unsigned kTimes = 10;

class HazardsTest : public IntegrationTest {
 protected:
  WatchedProgram& start(const std::string& mode, Variables environment, bool bare = false) {
    WatchOptions options;
    options.command = {built_program("hazards"), mode};
    options.environment = std::move(environment);
    options.threshold = "1s";
    options.bare_preload = bare;
    return watch(options);
  }

  static std::vector<Json> hazards(const Recording& recording, std::string_view state) {
    std::vector<Json> found;
    for (const Json& line : recording.lines()) {
      if (line["type"] == "hazard" && line["state"] == state) found.push_back(line);
    }
    return found;
  }
  static ::testing::AssertionResult has_no_hazards(const Recording& recording) {
    const std::vector<Json> found = hazards(recording, "sum");
    if (found.empty()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure()
           << found.size() << ", the first " << summary(found.front());
  }
  static std::map<std::string, Json> sums(const Recording& recording) {
    std::map<std::string, Json> by_culprit;
    for (const Json& hazard : hazards(recording, "sum")) {
      if (hazard["culprit"].is_null()) continue;
      const Json& frame = hazard["stack"][hazard["culprit"].get<size_t>()];
      const std::string name = frame["function"].is_null() ? "?" : frame["function"];
      by_culprit[name.substr(name.rfind("::") + 1)] = hazard;
    }
    return by_culprit;
  }
};

TEST_F(HazardsTest, WhatNeverWaitsIsNone) {
  const Recording quiet = finished(start("none", {{"TAILBACK_HAZARDS", "1"}}));
  EXPECT_TRUE(has_stalls(quiet, 0));
  EXPECT_TRUE(has_no_hazards(quiet));
  const Recording strict = finished(start("none", {{"TAILBACK_STRICT", "1"}}));
  EXPECT_TRUE(has_stalls(strict, 0));
  EXPECT_TRUE(has_no_hazards(strict));
  EXPECT_EQ(strict.end()["hazards"]["culprits"], 0);
}

TEST_F(HazardsTest, WithoutTheOptionNothingIsSaid) {
  const Recording recording = finished(start("slow", {}));
  EXPECT_TRUE(hazards(recording, "seen").empty());
  EXPECT_TRUE(has_no_hazards(recording));
}

TEST_F(HazardsTest, CallsThatWaitAreSummedPerCulprit) {
  WatchedProgram& program = start("slow", {{"TAILBACK_HAZARDS", "1"}});
  const Recording recording = finished(program);
  EXPECT_TRUE(has_stalls(recording, 0));
  auto found = sums(recording);
  ASSERT_EQ(found.size(), 2u) << recording.lines().back();
  const uint64_t unseen = recording.end()["hazards"]["unseen"];
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
    const Json hazard = found.at(std::string(":") + culprit + "()");
    EXPECT_EQ(hazard["kind"], "waited");
    EXPECT_EQ(hazard["cause"], cause);
    EXPECT_EQ(hazard["call"]["function"], call);
    EXPECT_GE(hazard["count"], 1u);
    EXPECT_LE(hazard["count"], kTimes);
    EXPECT_GE(hazard["longest_ms"], least_ms);
    EXPECT_GE(hazard["total_ms"], hazard["count"].get<double>() * least_ms);
    EXPECT_EQ(hazard["loop"]["wait"], "epoll_wait");
    EXPECT_FALSE(hazard["advice"].get<std::string>().empty());
    calls += hazard["count"].get<uint64_t>();
  }
  // Each is told or counted as unseen; on a busy machine others may take as long without waiting.
  EXPECT_GE(calls + unseen, 2 * kTimes);
  EXPECT_EQ(hazards(recording, "seen").size(), 2u);
  EXPECT_EQ(recording.end()["hazards"]["calls"], calls);
  EXPECT_NE(program.text_report().find("2 hazards on loop threads"), std::string::npos)
      << program.text_report();
}

TEST_F(HazardsTest, StrictFindsWhatIsAbleToBlockThoughItWasQuick) {
  const Recording recording = finished(start("quick", {{"TAILBACK_STRICT", "1"}}));
  EXPECT_TRUE(has_stalls(recording, 0));
  std::map<std::string, std::string> calls;
  for (const Json& hazard : hazards(recording, "sum")) {
    EXPECT_EQ(hazard["kind"], "may_block");
    calls[hazard["call"]["function"]] = hazard["cause"];
    if (hazard["call"]["function"] == "nanosleep") {
      EXPECT_TRUE(stack_has_function(hazard, "sleep_shortly")) << summary(hazard);
    }
  }
  const std::map<std::string, std::string> expected = {
      {"read", "ipc"},          {"write", "ipc"},       {"nanosleep", "sleep"},
      {"waitid", "process"},    {"waitpid", "process"}, {"getaddrinfo", "dns"},
      {"pthread_join", "wait"}, {"flock", "file"}};
  EXPECT_EQ(calls, expected);
}

TEST_F(HazardsTest, TheyDecideTheStatusWhereThatIsAskedFor) {
  finished(start("none", {{"TAILBACK_STRICT", "1"}, {"TAILBACK_FAIL_ON", "hazard"}}));
  finished(start("slow", {{"TAILBACK_HAZARDS", "1"}, {"TAILBACK_FAIL_ON", "stall"}}));
  finished(start("slow", {{"TAILBACK_HAZARDS", "1"}, {"TAILBACK_FAIL_ON", "stall,hazard"}}),
           exited(66));
}

TEST_F(HazardsTest, KnownOnesAreKeptBack) {
  const std::string rules =
      directory().write("known.supp", "function=*ask_peer*\nfunction=*take_a_nap*\n");
  const Recording recording = finished(start("slow", {{"TAILBACK_HAZARDS", "1"},
                                                      {"TAILBACK_FAIL_ON", "hazard"},
                                                      {"TAILBACK_SUPPRESSIONS", rules}}));
  EXPECT_TRUE(has_no_hazards(recording));
  EXPECT_GE(recording.end()["hazards"]["suppressed"], 2u);
  for (const Json& rule : recording.end()["suppressions"]) EXPECT_GE(rule["stalls"], 1u) << rule;
}

TEST_F(HazardsTest, ABarePreloadHasThemToo) {
  const Recording recording = finished(start("slow", {{"TAILBACK_HAZARDS", "1"}}, true));
  EXPECT_EQ(sums(recording).size(), 2u);
}

TEST_F(HazardsTest, WithoutACpuTheyAreNotMadeUp) {
  const BusyCpus busy(2 * static_cast<int>(std::thread::hardware_concurrency()));
  const Recording quiet = finished(start("none", {{"TAILBACK_HAZARDS", "1"}}));
  EXPECT_TRUE(has_no_hazards(quiet));
}

TEST_F(HazardsTest, SigusrAsksHowThingsStand) {
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
  EXPECT_GE(status["loops"][0]["turns"], 20);
  EXPECT_GE(status["loops"][0]["p999_ms"], status["loops"][0]["p50_ms"]);
  EXPECT_NE(server.text_report().find("so far, in "), std::string::npos) << server.text_report();
}

}  // namespace
}  // namespace tailback::test
