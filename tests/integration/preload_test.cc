// LD_PRELOAD alone: the same report as with the launcher, and a program that notices nothing.

#include <signal.h>
#include <unistd.h>

#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

class PreloadTest : public IntegrationTest {
 protected:
  WatchedProgram& preload(std::vector<std::string> command) {
    WatchOptions options;
    options.command = std::move(command);
    options.bare_preload = true;
    return watch(options);
  }
};

TEST_F(PreloadTest, Healthy_Silent) {
  WatchedProgram& server = preload({built_program("healthy_echo")});
  LineClient client(server.port());
  for (int i = 0; i < 100; ++i) {
    client.ask("hello");
  }
  client.ask("quit");
  EXPECT_TRUE(has_stalls(finished(server), 0));
}

TEST_F(PreloadTest, Program_KeepsPidParentStatus) {
  WatchedProgram& probe = preload({built_program("preload_probe")});
  finished(probe, exited(7));
  EXPECT_EQ(probe.announced("pid"), std::to_string(probe.process().pid()));
  EXPECT_EQ(probe.announced("parent"), std::to_string(getpid()));
}

TEST_F(PreloadTest, Program_SeesNoChildThreadDescriptor) {
  Process plain = run_helper("plain", {built_program("preload_probe")});
  ASSERT_EQ(plain.wait(std::chrono::seconds(10)), exited(7));
  WatchedProgram& probe = preload({built_program("preload_probe")});
  finished(probe, exited(7));
  const std::string without = file_text(directory().path() / "plain.out");
  for (const char* word : {"descriptors", "threads", "sigchld", "child"}) {
    const std::string line = std::string(word) + " " + probe.announced(word) + "\n";
    EXPECT_NE(without.find(line), std::string::npos) << line << "but without the recorder:\n"
                                                     << without;
  }
  EXPECT_EQ(probe.announced("sigchld"), "0");
  EXPECT_EQ(probe.announced("child"), "-1");
}

TEST_F(PreloadTest, ManyCalls_NoMemoryGrowth) {
  const auto number_after = [](const std::string& text, const std::string& word) {
    const size_t at = text.find(word + " ");
    return at == std::string::npos ? -1000 : std::stol(text.substr(at + word.size() + 1));
  };
  Process plain = run_helper("plain", {built_program("footprint")});
  ASSERT_EQ(plain.wait(std::chrono::seconds(30)), exited(0));
  const std::string without = file_text(directory().path() / "plain.out");
  // Launched: beside a bare preload an observer starts, which shares pages until it executes.
  WatchOptions options;
  options.command = {built_program("footprint")};
  WatchedProgram& watched = watch(options);
  finished(watched);
  const long alone = number_after(without, "private");
  ASSERT_GT(alone, 0) << without;
  EXPECT_LT(std::stol(watched.announced("private")) - alone, 100);
  EXPECT_LE(std::stol(watched.announced("grown")), number_after(without, "grown") + 8);
}

TEST_F(PreloadTest, BarePreload_SameReportAsLauncher) {
  WatchedProgram& preloaded = preload({built_program("preload_probe")});
  const Recording bare = finished(preloaded, exited(7));
  WatchOptions options;
  options.command = {built_program("preload_probe")};
  WatchedProgram& run = watch(options);
  const Recording launched = finished(run, exited(7));
  ASSERT_TRUE(has_stalls(bare, 1));
  ASSERT_TRUE(has_stalls(launched, 1));
  const Json one = bare.final_stalls()[0];
  const Json other = launched.final_stalls()[0];
  for (const char* field : {"state", "cause", "call", "loop", "stack", "culprit", "fingerprint"}) {
    EXPECT_EQ(one[field], other[field]) << field;
  }
  EXPECT_EQ(one["cause"], "sleep");
  EXPECT_TRUE(stack_has_function(one, "block")) << summary(one);
  EXPECT_TRUE(lasts(one, std::stod(preloaded.announced("blocked"))));
  EXPECT_TRUE(lasts(other, std::stod(run.announced("blocked"))));
}

TEST_F(PreloadTest, ProgramKilled_ReportComplete) {
  WatchedProgram& server = preload({built_program("blocking_echo")});
  LineClient client(server.port());
  for (int i = 0; i < 5; ++i) {
    client.ask("hello");
  }
  client.send("stuck read 0");
  ASSERT_TRUE(eventually(std::chrono::seconds(10),
                         [&] { return !server.recording().stalls("ongoing").empty(); }));
  server.process().signal(SIGKILL);
  const Recording recording = finished(server, killed(SIGKILL));
  ASSERT_TRUE(has_stalls(recording, 1));
  EXPECT_EQ(recording.final_stalls()[0]["state"], "unfinished");
}

TEST_F(PreloadTest, StandardOutput_Untouched) {
  WatchedProgram& program = preload({"/bin/echo", "hello"});
  ASSERT_EQ(program.process().wait(std::chrono::seconds(20)), exited(0));
  EXPECT_EQ(program.output(), "hello\n");
  EXPECT_EQ(program.errors(), "");
}

}  // namespace
}  // namespace tailback::test
