// The demos in Python, on Debian's python3: what must be reported of each stands in its source.

#include <signal.h>

#include <algorithm>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

constexpr char kPython[] = "/usr/bin/python3";

class PythonDemosTest : public IntegrationTest {
 protected:
  void SetUp() override { TAILBACK_NEEDS(kPython); }

  Recording run(const std::string& demo, const Ending& ending = exited(0),
                std::vector<std::pair<std::string, std::string>> environment = {}) {
    WatchOptions options;
    options.command = {kPython, source_of(demo)};
    options.environment = std::move(environment);
    program_ = &watch(options);
    return finished(*program_, ending, std::chrono::seconds(60));
  }

  static std::string source_of(const std::string& demo) {
    return source_file("demos/python/" + demo + ".py");
  }
  static std::vector<Expectation> expected_of(const std::string& demo) {
    return read_expectations(source_of(demo));
  }

  void run_without_stall(const std::string& demo) {
    ASSERT_EQ(expected_of(demo).at(0).kind, Expectation::Kind::kNothing);
    EXPECT_TRUE(has_no_stall_of_its_own(run(demo)));
  }

  // The one stall that its source expects, and no other of that cause.
  Json run_with_a_stall(const std::string& demo) {
    const Expectation expected = expected_of(demo).at(0);
    Json found;
    size_t count = 0;
    for (const Json& stall : run(demo).final_stalls()) {
      const std::string cause = stall["cause"];
      const bool is_one = std::count(expected.causes.begin(), expected.causes.end(), cause) > 0;
      if (!is_one) continue;
      found = stall;
      ++count;
      EXPECT_TRUE(matches(expected, stall));
    }
    EXPECT_EQ(count, 1u);
    if (expected.length_ms && count > 0) {
      EXPECT_TRUE(lasts(found, *expected.length_ms));
    }
    return found;
  }

  std::string output() const { return program_->output(); }

  // The first number after `words` in the output.
  double measured(const std::string& words) const {
    const std::string text = output();
    const size_t at = text.find(words);
    if (at == std::string::npos) throw std::runtime_error("no \"" + words + "\" in: " + text);
    return std::stod(text.substr(at + words.size()));
  }

 private:
  WatchedProgram* program_ = nullptr;
};

TEST_F(PythonDemosTest, BlockingHandler_ExpectedReport) {
  run_with_a_stall("blocking_handler");
}

TEST_F(PythonDemosTest, AwaitSleep_Silent) {
  run_without_stall("await_sleep");
}

TEST_F(PythonDemosTest, SleepInCoroutine_ExpectedReport) {
  run_with_a_stall("sleep_in_coroutine");
}

TEST_F(PythonDemosTest, UnsafeCounter_LosesUpdates) {
  EXPECT_TRUE(in_one_run_of(5, [&] {
    run_without_stall("unsafe_counter");
    return measured("of 200000: ") > 0;
  })) << output();
}

TEST_F(PythonDemosTest, SafeCounter_CountExact) {
  run_without_stall("safe_counter");
  EXPECT_EQ(output(), "counted 80000 of 80000\n");
}

TEST_F(PythonDemosTest, SharedList_ExpectedReport) {
  run_without_stall("shared_list");
  EXPECT_EQ(output(), "200000 of 200000 items\n");
}

TEST_F(PythonDemosTest, ThreadPoolWaits_ExpectedReport) {
  run_without_stall("thread_pool");
  EXPECT_GE(measured("tasks in "), 1.0);
  EXPECT_LT(measured("tasks in "), 5.0);
}

TEST_F(PythonDemosTest, EventLoopThousandWaits_ExpectedReport) {
  run_without_stall("event_loop_1000");
  EXPECT_GE(measured("tasks in "), 1.0);
  EXPECT_LT(measured("tasks in "), 20.0);
}

TEST_F(PythonDemosTest, ProcessPool_ExpectedReport) {
  run_with_a_stall("process_pool");
  for (const char* way : {"in the loop", "threads", "processes"}) {
    EXPECT_GT(measured(way), 0) << output();
  }
}

TEST_F(PythonDemosTest, SpawnOverhead_ExpectedReport) {
  run_without_stall("spawn_overhead");
  EXPECT_GT(measured("processes  "), measured("thread pool ")) << output();
}

TEST_F(PythonDemosTest, LockHeldOverIo_ExpectedReport) {
  run_with_a_stall("lock_held_over_io");
}

TEST_F(PythonDemosTest, NeverAwaited_ExpectedReport) {
  const Recording recording = run("never_awaited");
  const std::vector<Json> found = recording.of_type("never-awaited");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["found_by"], "python");
  EXPECT_EQ(differences_in_coroutine(expected_of("never_awaited").at(0), found[0]),
            std::vector<std::string>{});
  EXPECT_EQ(output(), "order 2 is saved\n");
}

// The interpreter's own words stay as they are.
TEST_F(PythonDemosTest, NeverAwaited_OutputUntouched) {
  const auto errors_of = [&](std::vector<std::string> command, const std::string& name) {
    command.insert(command.end(), {kPython, source_of("never_awaited")});
    ProcessOptions options;
    options.command = std::move(command);
    options.directory = directory().path();
    options.errors = directory().path() / name;
    Process process(options);
    EXPECT_EQ(process.wait(std::chrono::seconds(30)), exited(0));
    return file_text(options.errors);
  };
  const std::string plain = errors_of({}, "plain");
  EXPECT_NE(plain.find("was never awaited"), std::string::npos);
  EXPECT_EQ(errors_of({tailback_binary(), "run", "--quiet", "--"}, "watched"), plain);
}

TEST_F(PythonDemosTest, Gil_ExpectedReport) {
  run_with_a_stall("gil");
}

TEST_F(PythonDemosTest, Deadlock_ExpectedReport) {
  expect_deadlocks();
  const Recording recording = run("deadlock", killed(SIGABRT), {{"TAILBACK_ON_DEADLOCK", "abort"}});
  const std::vector<Json> deadlocks = recording.deadlocks();
  ASSERT_EQ(deadlocks.size(), 1u);
  EXPECT_EQ(differences_in_places(expected_of("deadlock"), deadlocks[0]["threads"]),
            std::vector<std::string>{});
}

}  // namespace
}  // namespace tailback::test
