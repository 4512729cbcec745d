// Stalls that are not, or not only, the program's own: a CPU quota, page faults, a program that was
// stopped, an observer that was.

#include <signal.h>
#include <sys/syscall.h>

#include <fstream>

#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

// Of one kind, or all.
std::vector<Json> notes(const Recording& recording, const std::string& kind = "") {
  std::vector<Json> result;
  for (const Json& line : recording.lines()) {
    if (line.value("type", "") != "note") continue;
    if (kind.empty() || line["kind"] == kind) result.push_back(line);
  }
  return result;
}

// The shares of the kernel's accounting make up the iteration.
::testing::AssertionResult adds_up(const Json& stall) {
  const Json& spent = stall["spent"];
  if (!spent.is_object()) return ::testing::AssertionFailure() << "no accounting";
  const double sum = spent["on_cpu_ms"].get<double>() + spent["runnable_ms"].get<double>() +
                     spent["blocked_ms"].get<double>();
  const double length = stall["duration_ms"].get<double>();
  if (std::abs(sum - length) <= length / 10) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << spent << " of " << length << " ms";
}

class NotToBlameTest : public IntegrationTest {
 protected:
  WatchedProgram& start(const std::string& name) {
    WatchOptions options;
    options.command = {built_program(name)};
    return watch(options);
  }
  static void warm_up(LineClient& client) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(client.ask("hello"), "hello");
  }
  static pid_t pid_of(const WatchedProgram& server) {
    EXPECT_TRUE(
        eventually(std::chrono::seconds(10), [&] { return !server.recording().lines().empty(); }));
    return server.recording().session()["pid"].get<pid_t>();
  }
  static bool is_in_nanosleep(pid_t pid) {
    return eventually(std::chrono::seconds(10), [&] {
      const std::string call = file_text("/proc/" + std::to_string(pid) + "/syscall");
      return call.starts_with(std::to_string(SYS_nanosleep) + " ") ||
             call.starts_with(std::to_string(SYS_clock_nanosleep) + " ");
    });
  }
  // Stops a process for some time. Returns for how many milliseconds it was stopped.
  static double stop_for(pid_t pid, Milliseconds length) {
    const auto begin = std::chrono::steady_clock::now();
    kill(pid, SIGSTOP);
    std::this_thread::sleep_for(length);
    kill(pid, SIGCONT);
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
        .count();
  }
};

// A control group with a fifth of a CPU, if one can be made.
class SmallQuota {
 public:
  SmallQuota() {
    for (const char* root : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup"}) {
      path_ = std::string(root) + "/tailback-test-" + std::to_string(getpid());
      std::error_code error;
      if (!std::filesystem::create_directory(path_, error) || error) continue;
      if (write("cpu.cfs_quota_us", "20000") || write("cpu.max", "20000 100000")) return;
      std::filesystem::remove(path_, error);
    }
    path_.clear();
  }
  ~SmallQuota() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove(path_, error);
  }
  SmallQuota(const SmallQuota&) = delete;
  SmallQuota& operator=(const SmallQuota&) = delete;

  bool made() const { return !path_.empty(); }
  bool take_in(pid_t pid) const { return write("cgroup.procs", std::to_string(pid)); }

 private:
  bool write(const std::string& name, const std::string& text) const {
    if (!std::filesystem::exists(path_ + "/" + name)) return false;
    std::ofstream file(path_ + "/" + name);
    file << text << std::flush;
    return file.good();
  }
  std::string path_;
};

// Of all loops, in milliseconds.
double longest_iteration(const Recording& recording) {
  double longest = 0;
  for (const Json& loop : recording.end()["loops"]) {
    longest = std::max(longest, loop["longest_ms"].get<double>());
  }
  return longest;
}

TEST_F(NotToBlameTest, Healthy_Silent) {
  WatchedProgram& server = start("healthy_echo");
  LineClient client(server.port());
  for (int i = 0; i < 300; ++i) ASSERT_EQ(client.ask("hello"), "hello");
  client.ask("quit");
  const Recording recording = finished(server);
  EXPECT_TRUE(has_stalls(recording, 0));
  for (const Json& note : notes(recording)) EXPECT_EQ(note["kind"], "observer-late") << note;
  for (const char* word : {"throttled", "page-fault", "stopped from", "suspended"}) {
    EXPECT_EQ(server.text_report().find(word), std::string::npos) << server.text_report();
  }
}

TEST_F(NotToBlameTest, Shares_SumToIteration) {
  WatchedProgram& server = start("blocking_echo");
  LineClient client(server.port());
  warm_up(client);
  client.ask("sleep nanosleep 300");
  client.ask("cpu work 300");
  client.ask("quit");
  const Recording recording = finished(server);
  ASSERT_TRUE(has_stalls(recording, 2));
  const std::vector<Json> stalls = recording.final_stalls();
  for (const Json& stall : stalls) EXPECT_TRUE(adds_up(stall));
  EXPECT_GT(stalls[0]["spent"]["blocked_ms"], 250) << stalls[0]["spent"];
  EXPECT_GT(stalls[1]["spent"]["on_cpu_ms"], 250) << stalls[1]["spent"];
  EXPECT_LT(stalls[1]["spent"]["blocked_ms"], 60) << stalls[1]["spent"];
  ASSERT_FALSE(stalls[0]["stacks"].empty());
  const Json& stack = stalls[0]["stacks"][0];
  EXPECT_EQ(stack["stack"].size(), stalls[0]["stack"].size());
  EXPECT_EQ(stack["culprit"], stalls[0]["culprit"]);
  EXPECT_EQ(stack["call"], stalls[0]["call"]["function"]);
  EXPECT_GT(stack["weight_ms"], 150) << stack["weight_ms"];
  EXPECT_NE(server.text_report().find("on CPU"), std::string::npos);
}

TEST_F(NotToBlameTest, CpuQuotaUsedUp_Throttled) {
  const SmallQuota quota;
  if (!quota.made()) GTEST_SKIP() << "no control group with a CPU quota can be made here";
  WatchedProgram& server = start("blocking_echo");
  LineClient client(server.port());
  warm_up(client);
  ASSERT_TRUE(quota.take_in(pid_of(server)));
  client.ask("cpu work 80");
  client.ask("quit");
  const Recording recording = finished(server, exited(0), std::chrono::seconds(60));
  ASSERT_GE(recording.final_stalls().size(), 1u);
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["cause"], "throttled") << summary(stall) << stall["spent"];
  EXPECT_GT(stall["spent"]["throttled_ms"], 50) << stall["spent"];
  EXPECT_TRUE(adds_up(stall));
}

TEST_F(NotToBlameTest, MissingPage_PageFault) {
  for (const char* page : {"present", "missing"}) {
    WatchOptions options;
    options.command = {built_program("page_fault"), page};
    WatchedProgram& program = watch(options);
    const auto ending = program.process().wait(std::chrono::seconds(20));
    if (ending == exited(77)) GTEST_SKIP() << "userfaultfd is refused here";
    const Recording recording = finished(program);
    if (page == std::string("present")) {
      EXPECT_TRUE(has_stalls(recording, 0));
      continue;
    }
    ASSERT_TRUE(has_stalls(recording, 1));
    const Json stall = recording.final_stalls()[0];
    const auto expected = read_expectations(source_file("tests/integration/targets/page_fault.cc"));
    EXPECT_TRUE(matches(expected.at(0), stall));
    EXPECT_TRUE(lasts(stall, announced_blocks(program).at(0).length_ms));
    EXPECT_GT(stall["spent"]["in_faults_ms"], 150) << stall["spent"];
    EXPECT_TRUE(stall["call"].is_null()) << summary(stall);
  }
}

// Stopped for a second in a sleep that would have taken 90 ms, under the threshold, and is over
// when the program goes on.
TEST_F(NotToBlameTest, StoppedProgram_NotedNotBlamed) {
  WatchedProgram& server = start("blocking_echo");
  LineClient client(server.port());
  warm_up(client);
  const pid_t pid = pid_of(server);
  client.send("sleep nanosleep 90");
  ASSERT_TRUE(is_in_nanosleep(pid));
  const double stopped = stop_for(pid, Milliseconds(1000));
  client.receive();
  client.ask("quit");
  const Recording recording = finished(server);
  EXPECT_TRUE(has_stalls(recording, 0));
  const std::vector<Json> stops = notes(recording, "stopped");
  ASSERT_EQ(stops.size(), 1u);
  EXPECT_EQ(stops[0]["pid"], pid);
  EXPECT_NEAR(stops[0]["duration_ms"].get<double>(), stopped, 60);
  EXPECT_NE(server.text_report().find("was stopped from outside"), std::string::npos);
  EXPECT_LE(longest_iteration(recording), 100);
  EXPECT_GT(longest_iteration(recording), 0);
}

// A debugger that comes, looks for a second and goes.
TEST_F(NotToBlameTest, DebuggerStop_NotedNotBlamed) {
  TAILBACK_NEEDS("gdb");
  WatchedProgram& server = start("blocking_echo");
  LineClient client(server.port());
  warm_up(client);
  const pid_t pid = pid_of(server);
  client.send("cpu work 700");
  Process gdb = run_helper("gdb", {"gdb", "-nx", "-batch", "-p", std::to_string(pid), "-ex",
                                   "shell sleep 1", "-ex", "detach"});
  ASSERT_EQ(gdb.wait(std::chrono::seconds(30)), exited(0));
  client.receive();
  const double whole = std::stod(client.ask("longest"));
  client.ask("quit");
  const Recording recording = finished(server);
  const std::vector<Json> stops = notes(recording, "stopped");
  ASSERT_EQ(stops.size(), 1u);
  const double stopped = stops[0]["duration_ms"].get<double>();
  EXPECT_GT(stopped, 900);
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["cause"], "cpu") << summary(stall) << stall["spent"];
  EXPECT_NEAR(stall["duration_ms"].get<double>(), whole - stopped, 10);
}

// What is left of an iteration without the time in which it was stopped keeps its cause and length.
TEST_F(NotToBlameTest, StoppedDuringStall_OwnTimeKept) {
  WatchedProgram& server = start("blocking_echo");
  LineClient client(server.port());
  warm_up(client);
  const pid_t pid = pid_of(server);
  client.send("cpu work 400");
  std::this_thread::sleep_for(Milliseconds(200));
  const double stopped = stop_for(pid, Milliseconds(700));
  client.receive();
  const double whole = std::stod(client.ask("longest"));
  client.ask("quit");
  const Recording recording = finished(server);
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["cause"], "cpu") << summary(stall) << stall["spent"];
  EXPECT_NEAR(stall["duration_ms"].get<double>(), whole - stopped, 60);
  EXPECT_TRUE(adds_up(stall));
  ASSERT_FALSE(stall["limits"].empty());
  EXPECT_NEAR(longest_iteration(recording), stall["duration_ms"].get<double>(), 0.01);
}

TEST_F(NotToBlameTest, LateObserver_SaidInReport) {
  WatchedProgram& server = start("blocking_echo");
  LineClient client(server.port());
  warm_up(client);
  pid_of(server);  // the session's record is there
  const pid_t observer = server.recording().session()["observer_pid"].get<pid_t>();
  ASSERT_EQ(kill(observer, SIGSTOP), 0);
  client.ask("sleep nanosleep 300");
  const double true_ms = std::stod(client.ask("longest"));
  std::this_thread::sleep_for(Milliseconds(500));
  ASSERT_EQ(kill(observer, SIGCONT), 0);
  EXPECT_TRUE(eventually(std::chrono::seconds(10),
                         [&] { return !server.recording().final_stalls().empty(); }));
  client.ask("quit");
  ASSERT_EQ(server.process().wait(std::chrono::seconds(20)), exited(0));
  const Recording recording = server.recording();  // it tells of a stall that no look has seen
  ASSERT_TRUE(recording.complete());
  ASSERT_EQ(recording.final_stalls().size(), 1u);
  const Json stall = recording.final_stalls()[0];
  EXPECT_TRUE(lasts(stall, true_ms));
  EXPECT_EQ(stall["cause"], "sleep") << summary(stall);  // by the recorder's sums
  EXPECT_NE(stall["limits"].dump().find("the observer itself was"), std::string::npos) << stall;
  const std::vector<Json> said = notes(recording);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0]["kind"], "observer-late");
  EXPECT_GT(said[0]["duration_ms"], 700);
}

}  // namespace
}  // namespace tailback::test
