// Quiet and strict on demand: known stalls are kept back, and others decide the exit status.
#include <signal.h>

#include <algorithm>

#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

class SuppressionTest : public IntegrationTest {
 protected:
  struct Run {
    Recording recording;
    std::string text;
    std::filesystem::path path;
  };

  // A server that does what the lines ask for; tailback must end with this status.
  Run run(const std::vector<std::string>& lines, Variables environment, int status) {
    WatchOptions options;
    options.command = {built_program("blocking_echo")};
    options.environment = std::move(environment);
    WatchedProgram& server = watch(options);
    LineClient client(server.port());
    for (int i = 0; i < 5; ++i) EXPECT_EQ(client.ask("hello"), "hello");
    for (const std::string& line : lines) client.ask(line);
    client.ask("quit");
    const Recording recording = finished(server, exited(status));
    return {recording, server.text_report(), server.recording_path()};
  }

  std::string rules(std::string_view text) { return directory().write("known.supp", text); }

  // What `tailback baseline` prints for a recording.
  std::string baseline_of(const std::filesystem::path& recording) {
    Process process = run_helper("baseline", {tailback_binary(), "baseline", recording.string()});
    EXPECT_EQ(process.wait(std::chrono::seconds(20)), exited(0));
    return file_text(directory().path() / "baseline.out");
  }
};

constexpr char kSleep[] = "sleep nanosleep 300";

TEST_F(SuppressionTest, UnmatchedStall_Reported) {
  const Run told = run({kSleep}, {{"TAILBACK_SUPPRESSIONS", rules("cause=dns\n")}}, 0);
  EXPECT_TRUE(has_stalls(told.recording, 1));
  EXPECT_EQ(told.recording.end()["counts"]["stall"]["suppressed"], 0);
  EXPECT_NE(told.text.find("event loop blocked"), std::string::npos) << told.text;
}

TEST_F(SuppressionTest, KnownStall_CountedUnusedRulesNamed) {
  const std::string file = rules("# known\ncause=sleep call=nanosleep\n\nfunction=nowhere\n");
  const Run quiet =
      run({kSleep}, {{"TAILBACK_SUPPRESSIONS", file}, {"TAILBACK_FAIL_ON", "stall"}}, 0);
  EXPECT_TRUE(has_stalls(quiet.recording, 0));
  const Json& end = quiet.recording.end();
  EXPECT_EQ(end["counts"]["stall"]["suppressed"], 1);
  EXPECT_GE(end["suppressed_ms"].get<double>(), 300);
  ASSERT_EQ(end["suppressions"].size(), 2u);
  EXPECT_EQ(end["suppressions"][0]["line"], 2);
  EXPECT_EQ(end["suppressions"][0]["matches"], 1);
  EXPECT_EQ(end["suppressions"][1]["rule"], "function=nowhere");
  EXPECT_EQ(end["suppressions"][1]["matches"], 0);
  EXPECT_EQ(quiet.text.find("event loop blocked"), std::string::npos) << quiet.text;
  EXPECT_NE(quiet.text.find("1 known stall"), std::string::npos) << quiet.text;
  EXPECT_NE(quiet.text.find("1 suppression matched nothing\n  "), std::string::npos) << quiet.text;
  EXPECT_NE(quiet.text.find("known.supp:4: function=nowhere\n"), std::string::npos) << quiet.text;
}

TEST_F(SuppressionTest, FailOnWithoutStall_CommandStatus) {
  run({}, {{"TAILBACK_FAIL_ON", "stall"}}, 0);
}

TEST_F(SuppressionTest, FailOnStall_StatusSet) {
  run({kSleep}, {{"TAILBACK_FAIL_ON", "stall"}}, 66);
  run({kSleep}, {{"TAILBACK_FAIL_ON", "stall"}, {"TAILBACK_EXITCODE", "9"}}, 9);
}

TEST_F(SuppressionTest, Baseline_SuppressesOnlyItsRun) {
  const Run first = run({kSleep}, {}, 0);
  ASSERT_TRUE(has_stalls(first.recording, 1));
  const std::string known = baseline_of(first.path);
  EXPECT_NE(known.find("# 1 stall, the longest 30"), std::string::npos) << known;
  const std::string fingerprint = first.recording.final_stalls()[0]["fingerprint"];
  EXPECT_NE(known.find("\nfingerprint=" + fingerprint + "\n"), std::string::npos) << known;
  const Variables strict = {{"TAILBACK_SUPPRESSIONS", rules(known)}, {"TAILBACK_FAIL_ON", "new"}};

  EXPECT_TRUE(has_stalls(run({kSleep}, strict, 0).recording, 0));
  const Run second = run({kSleep, "sleep usleep 300"}, strict, 66);
  ASSERT_TRUE(has_stalls(second.recording, 1));
  EXPECT_NE(second.recording.final_stalls()[0]["fingerprint"], fingerprint);
  EXPECT_EQ(second.recording.end()["counts"]["stall"]["suppressed"], 1);
}

TEST_F(SuppressionTest, BadRules_RefusedBeforeRun) {
  ProcessOptions options;
  options.command = {
      tailback_binary(), "run",    "--suppressions", rules("call=x\ncolour=red\n"), "--",
      "touch",           "started"};
  options.directory = directory().path();
  options.errors = directory().path() / "err";
  Process process(options);
  EXPECT_EQ(process.wait(std::chrono::seconds(20)), exited(125));
  const std::string errors = file_text(options.errors);
  EXPECT_NE(errors.find("known.supp:2: 'colour': no such key"), std::string::npos) << errors;
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
  EXPECT_FALSE(std::filesystem::exists(directory().path() / "started"));
}

TEST_F(SuppressionTest, ConfigFile_ReadFromWorkingDirectory) {
  directory().write("tailback.toml", "fail-on = \"stall\"\nexitcode = 11\n");
  run({kSleep}, {}, 11);
  run({kSleep}, {{"TAILBACK_EXITCODE", "12"}}, 12);
  const std::string other = directory().write("other.toml", "exitcode = 13\nfail-on = \"new\"\n");
  run({kSleep}, {{"TAILBACK_CONFIG", other}}, 13);
}

// The verdict is lost with the observer: no success, one line, and no hanging.
TEST_F(SuppressionTest, ObserverDied_NoSuccess) {
  ProcessOptions options;
  options.command = {tailback_binary(),
                     "run",
                     "--quiet",
                     "--fail-on",
                     "stall",
                     "--json",
                     "run.jsonl",
                     "--",
                     "/bin/sh",
                     "-c",
                     "echo ready; while [ ! -e go ]; do sleep 0.05; done"};
  options.directory = directory().path();
  options.output = directory().path() / "out";
  options.errors = directory().path() / "err";
  Process process(options);
  ASSERT_TRUE(
      eventually(std::chrono::seconds(10), [&] { return file_text(options.output) == "ready\n"; }));
  const Recording begun = Recording::read(directory().path() / "run.jsonl");
  ASSERT_FALSE(begun.lines().empty());
  kill(begun.session()["observer_pid"].get<int>(), SIGKILL);
  directory().write("go", "");
  EXPECT_EQ(process.wait(std::chrono::seconds(20)), exited(125));
  const std::string errors = file_text(options.errors);
  EXPECT_NE(errors.find("the observer ended before its time"), std::string::npos) << errors;
  EXPECT_NE(errors.find("--fail-on"), std::string::npos) << errors;
}

}  // namespace
}  // namespace tailback::test
