// redis-server: a command that sleeps, a script that computes, and a load that does neither.

#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

class RedisTest : public IntegrationTest {
 protected:
  void SetUp() override {
    TAILBACK_NEEDS("redis-server");
    TAILBACK_NEEDS("redis-benchmark");
    port_ = free_port();
    WatchOptions options;
    options.command = {*find_program("redis-server"),
                       "--port",
                       std::to_string(port_),
                       "--bind",
                       "127.0.0.1",
                       "--save",
                       "",
                       "--appendonly",
                       "no",
                       "--enable-debug-command",
                       "yes",
                       "--dir",
                       directory().path()};
    server_ = &watch(options);
    ASSERT_TRUE(eventually(std::chrono::seconds(20), [&] { return port_answers(port_); }));
  }

  // One inline command, and the first line of its answer.
  std::string ask(const std::string& command) const {
    LineClient client(port_);
    std::string answer = client.ask(command);
    if (answer.ends_with('\r')) {
      answer.pop_back();
    }
    return answer;
  }

  // How long the one call of a command took, by redis's own account.
  double length_ms(const std::string& command) const {
    LineClient client(port_);
    client.send("INFO commandstats");
    const std::string mark = "cmdstat_" + command + ":calls=1,usec=";
    for (;;) {
      const std::string line = client.receive(std::chrono::seconds(5));
      if (line.starts_with(mark)) {
        return std::stod(line.substr(mark.size())) / 1000;
      }
    }
  }

  Recording stop() {
    LineClient(port_).send("SHUTDOWN NOSAVE");
    return finished(*server_);
  }

  void load_for(Milliseconds length) {
    Process benchmark =
        run_helper("benchmark", {*find_program("redis-benchmark"), "-p", std::to_string(port_),
                                 "-t", "set,get,incr,lpush,lrange_100", "-q", "-l"});
    EXPECT_FALSE(benchmark.wait(length)) << "the load ended early";
  }

  uint16_t port_ = 0;
  WatchedProgram* server_ = nullptr;
};

TEST_F(RedisTest, UnderLoad_Silent) {
  load_for(std::chrono::seconds(long_tests() ? 10 : 3));
  const Recording recording = stop();
  EXPECT_TRUE(has_no_stall_of_its_own(recording));
  ASSERT_FALSE(recording.end()["loops"].empty());
  EXPECT_GT(recording.end()["loops"][0]["iterations"].get<int>(), 1000);
}

TEST_F(RedisTest, DebugSleep_Named) {
  EXPECT_EQ(ask("PING"), "+PONG");
  EXPECT_EQ(ask("DEBUG SLEEP 0.4"), "+OK");
  EXPECT_EQ(ask("PING"), "+PONG");
  const double true_ms = length_ms("debug");
  const Recording recording = stop();
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_TRUE(lasts(stall, true_ms));
  EXPECT_EQ(stall["cause"], "sleep");
  EXPECT_TRUE(stack_has_function(stall, "debugCommand")) << summary(stall);
  EXPECT_TRUE(stack_has_function(stall, "processCommand")) << summary(stall);
  EXPECT_TRUE(stack_has_function(stall, "aeMain")) << summary(stall);
  EXPECT_TRUE(stall["stack_complete"].get<bool>()) << summary(stall);
}

TEST_F(RedisTest, SlowScript_Cpu) {
  EXPECT_EQ(ask("PING"), "+PONG");
  EXPECT_EQ(ask("EVAL \"local x = 0; for i = 1, 4e7 do x = x + i % 7 end; return 1\" 0"), ":1");
  EXPECT_EQ(ask("PING"), "+PONG");
  const double true_ms = length_ms("eval");
  const Recording recording = stop();
  ASSERT_TRUE(has_stalls(recording, 1)) << "the script took " << true_ms << " ms";
  const Json stall = recording.final_stalls()[0];
  EXPECT_TRUE(lasts(stall, true_ms));
  EXPECT_EQ(stall["cause"], "cpu");
  EXPECT_TRUE(advises(stall, "Lua script")) << stall["advice"];
  // Debian's redis has Lua built in, and keeps the names of its public functions only.
  EXPECT_TRUE(stack_has_module(stall, "liblua") || stack_has_function(stall, "lua_pcall"))
      << summary(stall);
  EXPECT_TRUE(stack_has_function(stall, "luaCallFunction")) << summary(stall);
  EXPECT_TRUE(stack_has_function(stall, "aeMain")) << summary(stall);
}

}  // namespace
}  // namespace tailback::test
