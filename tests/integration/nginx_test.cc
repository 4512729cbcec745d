// nginx: a master and its workers under load, in the foreground and as a daemon.

#include <signal.h>
#include <unistd.h>

#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

class NginxTest : public IntegrationTest {
 protected:
  void SetUp() override {
    TAILBACK_NEEDS("nginx");
    TAILBACK_NEEDS("wrk");
    port_ = free_port();
    std::filesystem::create_directory(directory().path() / "www");
    directory().write("www/index.html", "hello\n");
  }

  // A daemon is nobody's child: it must be ended by its pid file.
  void TearDown() override {
    if (const pid_t daemon = master_pid(); daemon > 0) {
      kill(daemon, SIGKILL);
    }
    IntegrationTest::TearDown();
  }

  WatchedProgram& start(bool daemon, bool bare_preload, const char* threshold = "100ms") {
    const std::string prefix = directory().path();
    const std::string user = geteuid() == 0 ? "user root;\n" : "";
    const std::string config = directory().write(
        "nginx.conf", user + "daemon " + (daemon ? "on" : "off") +
                          ";\nworker_processes 2;\npid nginx.pid;\nerror_log error.log;\n"
                          "events { worker_connections 256; }\n"
                          "http {\n  access_log access.log;\n"
                          "  client_body_temp_path body; proxy_temp_path proxy;\n"
                          "  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;\n"
                          "  scgi_temp_path scgi;\n"
                          "  server { listen 127.0.0.1:" +
                          std::to_string(port_) +
                          "; root www;\n"
                          "    location = /pattern { if ($arg_x ~ \"^(a+)+$\") { return 200 yes; }"
                          " return 200 no; }\n  }\n}\n");
    WatchOptions options;
    options.command = {*find_program("nginx"), "-p", prefix + "/", "-c", config, "-e", "error.log"};
    options.bare_preload = bare_preload;
    options.threshold = threshold;
    WatchedProgram& server = watch(options);
    EXPECT_TRUE(eventually(std::chrono::seconds(20),
                           [&] { return port_answers(port_) && master_pid() > 0; }));
    return server;
  }

  pid_t master_pid() const {
    const std::string text = file_text(directory().path() / "nginx.pid");
    return text.empty() ? -1 : std::stoi(text);
  }

  void load() {
    Process wrk =
        run_helper("wrk", {*find_program("wrk"), "-t1", "-c20", long_tests() ? "-d10s" : "-d2s",
                           "http://127.0.0.1:" + std::to_string(port_) + "/"});
    EXPECT_EQ(wrk.wait(std::chrono::seconds(30)), exited(0));
    const std::string result = file_text(directory().path() / "wrk.out");
    EXPECT_NE(result.find("requests in"), std::string::npos) << result;
    EXPECT_EQ(result.find("Non-2xx"), std::string::npos) << result;
  }

  void quit() const { kill(master_pid(), SIGQUIT); }

  // Both workers are loops, and busy ones.
  static void expect_busy_workers(const Recording& recording) {
    int busy = 0;
    for (const Json& loop : recording.end()["loops"]) {
      busy += loop["iterations"].get<int>() > 100 ? 1 : 0;
    }
    EXPECT_EQ(busy, 2) << recording.end()["loops"].dump(2);
  }

  uint16_t port_ = 0;
};

TEST_F(NginxTest, ForegroundUnderLoad_Silent) {
  WatchedProgram& server = start(false, false);
  load();
  quit();
  const Recording recording = finished(server);
  EXPECT_TRUE(has_no_stall_of_its_own(recording));
  expect_busy_workers(recording);
}

TEST_F(NginxTest, ForegroundBarePreload_Silent) {
  WatchedProgram& server = start(false, true);
  load();
  quit();
  const Recording recording = finished(server);
  EXPECT_TRUE(has_no_stall_of_its_own(recording));
  expect_busy_workers(recording);
}

TEST_F(NginxTest, DaemonBarePreload_Silent) {
  WatchedProgram& server = start(true, true);
  EXPECT_EQ(server.process().wait(std::chrono::seconds(10)), exited(0));
  load();
  EXPECT_FALSE(server.recording().complete());
  quit();
  const Recording recording = finished(server);
  EXPECT_TRUE(has_no_stall_of_its_own(recording));
  expect_busy_workers(recording);
}

TEST_F(NginxTest, DaemonLauncher_Silent) {
  WatchedProgram& server = start(true, false);
  load();
  quit();
  EXPECT_TRUE(has_no_stall_of_its_own(finished(server)));
}

// A pattern that tries every way to cut the argument into pieces, until a limit of nginx's ends it:
// after some 90 ms on a fast machine.
TEST_F(NginxTest, ExpensivePattern_Cpu) {
  WatchedProgram& server = start(false, false, "40ms");
  LineClient client(port_);
  for (int i = 0; i < 3; ++i) {
    client.send("GET /pattern?x=aaaa HTTP/1.1\r\nHost: x\r\n\r");
    std::this_thread::sleep_for(Milliseconds(20));
  }
  client.send("GET /pattern?x=" + std::string(32, 'a') + "b HTTP/1.1\r\nHost: x\r\n\r");
  std::this_thread::sleep_for(Milliseconds(1500));
  quit();
  const Recording recording = finished(server);
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["cause"], "cpu") << summary(stall);
  EXPECT_TRUE(stack_has_module(stall, "libpcre2")) << summary(stall);
  EXPECT_TRUE(advises(stall, "regular expressions")) << stall["advice"];
}

}  // namespace
}  // namespace tailback::test
