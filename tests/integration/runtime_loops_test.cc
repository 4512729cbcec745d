// The event loops of the runtimes that people use: silent while they are healthy or only their
// worker threads are busy; each stall of theirs counted, named, and advised on in their own words.

#include <algorithm>
#include <stdexcept>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

struct Runtime {
  std::string name;
  std::string package;  // that the program needs
  std::string built;    // what is built of it
  std::vector<std::string> command;
  std::string source;  // below targets/runtimes
  std::string wait;
  std::string advice;  // part of it
  std::vector<std::pair<std::string, std::string>> environment = {};
};

std::ostream& operator<<(std::ostream& stream, const Runtime& runtime) {
  return stream << runtime.name;
}

std::string program(const std::string& name) {
  return built_program(name);
}

std::vector<Runtime> with_pools() {
  const std::string tokio = "tokio::time::sleep";
  const std::string qt = "QTimer::singleShot";
  const std::string rust = "librust-tokio-dev, cargo and rustc";
  return {
      {"libuv",
       "libuv1-dev",
       "libuv_loop",
       {program("libuv_loop")},
       "libuv_loop.cc",
       "epoll_wait",
       "uv_timer_t"},
      {"asio",
       "libboost-dev",
       "asio_loop",
       {program("asio_loop")},
       "asio_loop.cc",
       "epoll_wait",
       "steady_timer"},
      {"glib",
       "libglib2.0-dev",
       "glib_loop",
       {program("glib_loop")},
       "glib_loop.cc",
       "poll",
       "g_timeout_add"},
      {"qt", "qtbase5-dev", "qt_loop", {program("qt_loop")}, "qt_loop.cc", "poll", qt},
      {"qt_without_glib",
       "qtbase5-dev",
       "qt_loop",
       {program("qt_loop")},
       "qt_loop.cc",
       "ppoll",
       qt,
       {{"QT_NO_GLIB", "1"}}},
      {"java",
       "openjdk-17-jdk-headless",
       "NioLoop.class",
       {"java", "-cp", built_program("").parent_path(), "NioLoop"},
       "",
       "epoll_wait",
       "Thread.sleep()"},
      {"tokio_current_thread",
       rust,
       "tokio_loop",
       {program("tokio_loop"), "current"},
       "tokio_loop/src/main.rs",
       "epoll_wait",
       tokio},
      {"tokio_multi_thread",
       rust,
       "tokio_loop",
       {program("tokio_loop"), "multi"},
       "tokio_loop/src/main.rs",
       "epoll_wait",
       tokio},
  };
}

std::vector<Runtime> all() {
  std::vector<Runtime> runtimes = with_pools();
  runtimes.push_back({"libevent",
                      "libevent-dev",
                      "libevent_loop",
                      {program("libevent_loop")},
                      "libevent_loop.cc",
                      "epoll_wait",
                      "evtimer"});
  runtimes.push_back({"libev",
                      "libev-dev",
                      "libev_loop",
                      {program("libev_loop")},
                      "libev_loop.cc",
                      "epoll_wait",
                      "ev_timer"});
  return runtimes;
}

std::string test_name(const ::testing::TestParamInfo<Runtime>& info) {
  return info.param.name;
}

class RuntimeLoopsTest : public IntegrationTest, public ::testing::WithParamInterface<Runtime> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(built_program(GetParam().built))) {
      GTEST_SKIP() << GetParam().built << " was not built: install " << GetParam().package
                   << ", and configure again";
    }
    if (GetParam().command[0] == "java") TAILBACK_NEEDS("java");
  }

  WatchedProgram& start(const std::string& way) {
    WatchOptions options;
    options.command = GetParam().command;
    options.command.push_back(way);
    options.threshold = "50ms";
    options.environment = GetParam().environment;
    return watch(options);
  }

  // Its socket was served, and its loop recognised.
  void expect_traffic(const WatchedProgram& program, const Recording& recording) const {
    EXPECT_GE(std::stoi(program.announced("echoes")), 20);
    const Json& loops = recording.end()["loops"];
    EXPECT_TRUE(std::any_of(loops.begin(), loops.end(), [](const Json& loop) {
      return loop["loop"]["wait"] == GetParam().wait && loop["iterations"].get<int>() >= 40;
    })) << loops;
  }

  // Said once, with the way to get them.
  static void expect_word_of_missing_names(const Recording& recording) {
    const std::vector<Json> stalls = recording.final_stalls();
    EXPECT_EQ(std::count_if(stalls.begin(), stalls.end(),
                            [](const Json& stall) {
                              return stall["limits"].dump().find("Compiler.perfmap") !=
                                     std::string::npos;
                            }),
              1)
        << summary(stalls);
  }

  // The program's stalls, which are as many and as long as it says itself.
  std::vector<Json> expect_three_stalls(const std::string& way) {
    WatchedProgram& program = start(way);
    const Recording recording = finished(program);
    const std::vector<Block> blocks = announced_blocks(program);
    const std::vector<Json> stalls = own_stalls(recording);
    EXPECT_EQ(blocks.size(), 3u);
    EXPECT_EQ(stalls.size(), 3u) << summary(stalls);
    for (size_t i = 0; i < std::min(stalls.size(), blocks.size()); ++i) {
      EXPECT_EQ(stalls[i]["loop"]["wait"], GetParam().wait) << summary(stalls[i]);
      EXPECT_GE(stalls[i]["duration_ms"].get<double>(), blocks[i].length_ms - 1);
      EXPECT_LE(stalls[i]["duration_ms"].get<double>(), blocks[i].length_ms + 300);
    }
    expect_traffic(program, recording);
    if (GetParam().name == "java") expect_word_of_missing_names(recording);
    return stalls;
  }

  static Expectation expectation(const std::string& on) {
    for (const Expectation& expected : read_expectations(
             source_file("tests/integration/targets/runtimes/" + GetParam().source))) {
      if (expected.on == on) return expected;
    }
    throw std::runtime_error(GetParam().source + " expects nothing on " + on);
  }

  void expect_silence(const std::string& way) {
    WatchedProgram& program = start(way);
    const Recording recording = finished(program);
    EXPECT_TRUE(has_no_stall_of_its_own(recording));
    expect_traffic(program, recording);
  }
};

TEST_P(RuntimeLoopsTest, Healthy_Silent) {
  expect_silence("healthy");
}

TEST_P(RuntimeLoopsTest, Blocked_EachStallNamed) {
  const std::vector<Json> stalls = expect_three_stalls("stalls");
  for (const Json& stall : stalls) {
    EXPECT_EQ(stall["cause"], "sleep") << summary(stall);
    EXPECT_TRUE(advises(stall, GetParam().advice)) << stall["advice"];
    if (GetParam().source.empty()) {
      // Java's functions have no names here, and its sleep is a wait with a deadline.
      EXPECT_EQ(stall["call"]["function"], "pthread_cond_timedwait") << summary(stall);
      EXPECT_TRUE(stack_has_module(stall, "libjvm.so")) << summary(stall);
    } else {
      EXPECT_TRUE(matches(expectation("stalls"), stall));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Loops, RuntimeLoopsTest, ::testing::ValuesIn(all()), test_name);

class RuntimePoolsTest : public RuntimeLoopsTest {};

TEST_P(RuntimePoolsTest, BusyAndIdleWorkers_Silent) {
  expect_silence("pool");
}

INSTANTIATE_TEST_SUITE_P(Loops, RuntimePoolsTest, ::testing::ValuesIn(with_pools()), test_name);

class TokioTasksTest : public RuntimeLoopsTest {};

// A task that waits on a futex, as idle workers do, holds its worker up all the same.
TEST_P(TokioTasksTest, TaskWaitingForThread_Named) {
  for (const Json& stall : expect_three_stalls("waits")) {
    EXPECT_TRUE(matches(expectation("waits"), stall));
    EXPECT_TRUE(advises(stall, "tokio::sync")) << stall["advice"];
  }
}

std::vector<Runtime> tokio() {
  std::vector<Runtime> runtimes = with_pools();
  std::erase_if(runtimes, [](const Runtime& each) { return each.built != "tokio_loop"; });
  return runtimes;
}

INSTANTIATE_TEST_SUITE_P(Loops, TokioTasksTest, ::testing::ValuesIn(tokio()), test_name);

}  // namespace
}  // namespace tailback::test
