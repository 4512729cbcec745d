// The demos: what must be reported of each stands in its source (demos/README.md).

#include <signal.h>

#include <algorithm>
#include <sstream>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

class DemosTest : public IntegrationTest {
 protected:
  // Runs the program of a demo with these options of an observer.
  Recording run(const std::string& demo, const Ending& ending = exited(0),
                std::vector<std::pair<std::string, std::string>> environment = {}) {
    WatchOptions options;
    options.command = {built_program(demo)};
    options.environment = std::move(environment);
    program_ = &watch(options);
    return finished(*program_, ending, std::chrono::seconds(60));
  }

  // What is expected of the demo, as its source says. `source`: within demos/.
  static std::vector<Expectation> expected_of(const std::string& demo, const std::string& source) {
    std::vector<Expectation> own;
    for (const Expectation& one : read_expectations(source_file("demos/" + source))) {
      if (one.of.empty() || one.of == demo) {
        own.push_back(one);
      }
    }
    EXPECT_FALSE(own.empty()) << source << " expects nothing of " << demo;
    return own;
  }

  // A demo whose source expects stalls.
  Recording run_with_stalls(const std::string& demo, const std::string& source) {
    Recording recording = run(demo);
    const std::vector<Expectation> expected = expected_of(demo, source);
    EXPECT_TRUE(has_stalls(recording, expected.size()));
    const std::vector<Json> stalls = recording.final_stalls();
    for (size_t i = 0; i < std::min(stalls.size(), expected.size()); ++i) {
      EXPECT_TRUE(matches(expected[i], stalls[i]));
      if (expected[i].length_ms) {
        EXPECT_TRUE(lasts(stalls[i], *expected[i].length_ms));
      }
    }
    return recording;
  }

  // A demo whose source expects nothing.
  Recording run_without_stall(const std::string& demo, const std::string& source) {
    const std::vector<Expectation> expected = expected_of(demo, source);
    EXPECT_EQ(expected.size(), 1u);
    EXPECT_EQ(expected.at(0).kind, Expectation::Kind::kNothing);
    Recording recording = run(demo);
    EXPECT_TRUE(has_no_stall_of_its_own(recording));
    return recording;
  }

  static void expect_race(const Json& race, const std::vector<Expectation>& expected) {
    Json accesses = Json::array();
    for (const Json& access : race["accesses"]) {
      accesses.push_back(access["at"]);
    }
    EXPECT_EQ(differences_in_places(expected, accesses), std::vector<std::string>{});
  }

  std::string output() const { return program_->output(); }

  // The first number after `word` in the line of the output that begins with `line`.
  double measured(const std::string& line, const std::string& word = "") const {
    std::istringstream lines(output());
    for (std::string text; std::getline(lines, text);) {
      if (!text.starts_with(line)) {
        continue;
      }
      const size_t at = text.find(word, line.size());
      if (at != std::string::npos) {
        return std::stod(text.substr(at + word.size()));
      }
    }
    throw std::runtime_error("no line \"" + line + "\" in: " + output());
  }

 private:
  WatchedProgram* program_ = nullptr;
};

TEST_F(DemosTest, TimerInLoop_Silent) {
  run_without_stall("timer_in_loop", "coroutines/timer_in_loop.cc");
}

TEST_F(DemosTest, BlockingInLoop_ExpectedReport) {
  const Recording recording = run_with_stalls("blocking_in_loop", "coroutines/blocking_in_loop.cc");
  EXPECT_TRUE(stack_has_function(recording.final_stalls().at(0), "call_bad"));
}

TEST_F(DemosTest, SafeCounterPlain_CountExact) {
  const Recording recording = run_without_stall("safe_counter_plain", "counter/safe_counter.cc");
  EXPECT_NE(output().find("mutex: counted 400000 of 400000"), std::string::npos) << output();
  EXPECT_NE(output().find("atomic: counted 400000 of 400000"), std::string::npos) << output();
}

TEST_F(DemosTest, UnsafeCounterPlain_LosesUpdates) {
  EXPECT_TRUE(in_one_run_of(5, [&] {
    run_without_stall("unsafe_counter_plain", "counter/unsafe_counter.cc");
    return measured("counted", ":") > 0;
  })) << output();
}

TEST_F(DemosTest, SafeListPlain_NothingLost) {
  run_without_stall("safe_shared_list_plain", "shared_list/safe_shared_list.cc");
  EXPECT_NE(output().find("200000 of 200000 items"), std::string::npos) << output();
}

TEST_F(DemosTest, UnsafeListPlain_LosesItems) {
  EXPECT_TRUE(in_one_run_of(5, [&] {
    run_without_stall("unsafe_shared_list_plain", "shared_list/unsafe_shared_list.cc");
    return measured("", "items: ") > 0;
  })) << output();
}

// Built with ThreadSanitizer, where the compiler has it. What it finds makes it end with 66.
TEST_F(DemosTest, SafeCounterUnderTsan_NoRace) {
  TAILBACK_NEEDS(built_program("safe_counter"));
  EXPECT_TRUE(run_without_stall("safe_counter", "counter/safe_counter.cc").of_type("race").empty());
}

TEST_F(DemosTest, UnsafeCounterUnderTsan_Race) {
  TAILBACK_NEEDS(built_program("unsafe_counter"));
  const Recording recording = run("unsafe_counter", exited(66));
  const std::vector<Json> races = recording.of_type("race");
  ASSERT_EQ(races.size(), 1u);
  EXPECT_EQ(races[0]["accesses"].size(), 2u);
  expect_race(races[0], expected_of("unsafe_counter", "counter/unsafe_counter.cc"));
  EXPECT_GT(measured("counted", ":"), 0) << output();
}

TEST_F(DemosTest, SafeListUnderTsan_NoRace) {
  TAILBACK_NEEDS(built_program("safe_shared_list"));
  EXPECT_TRUE(run_without_stall("safe_shared_list", "shared_list/safe_shared_list.cc")
                  .of_type("race")
                  .empty());
}

TEST_F(DemosTest, UnsafeListUnderTsan_Race) {
  TAILBACK_NEEDS(built_program("unsafe_shared_list"));
  const Recording recording = run("unsafe_shared_list", exited(66));
  const std::vector<Json> races = recording.of_type("race");
  ASSERT_GE(races.size(), 1u);
  for (const Json& race : races) {
    expect_race(race, expected_of("unsafe_shared_list", "shared_list/unsafe_shared_list.cc"));
  }
}

TEST_F(DemosTest, NeverAwaited_ExpectedReport) {
  const Recording recording = run("never_awaited");
  const std::vector<Json> found = recording.of_type("never-awaited");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["found_by"], "annotation");
  EXPECT_TRUE(stack_has_function(found[0], "main")) << found[0].dump();
  EXPECT_EQ(differences_in_coroutine(
                expected_of("never_awaited", "coroutines/never_awaited.cc").at(0), found[0]),
            std::vector<std::string>{});
  EXPECT_EQ(recording.end()["counts"]["never_awaited"]["reported"], 1);
  EXPECT_EQ(output(), "order 2 is saved\n");
}

TEST_F(DemosTest, ThreadPoolWaits_ExpectedReport) {
  run_without_stall("thread_pool", "pools/thread_pool.cc");
  const double time = measured("threads           ", "10 ");
  EXPECT_GE(time, 1.0);
  EXPECT_LT(time, 5.0);
  EXPECT_GE(measured("one by one", "10 "), 1.0);
}

TEST_F(DemosTest, EventLoopThousandWaits_ExpectedReport) {
  const Recording recording = run_without_stall("event_loop_1000", "pools/event_loop_1000.cc");
  EXPECT_EQ(recording.end()["loops"].size(), 1u);
  const double time = measured("event loop", "1000 ");
  EXPECT_GE(time, 1.0);
  EXPECT_LT(time, 20.0);
  // Ten threads need more memory each than a thousand tasks.
  EXPECT_GT(measured("threads", " s"), 4 * measured("event loop", " s")) << output();
}

TEST_F(DemosTest, ProcessPool_ExpectedReport) {
  run_with_stalls("process_pool", "pools/process_pool.cc");
  const std::string text = output();
  EXPECT_GT(measured("in the loop", "ms "), measured("threads", "ms ")) << text;
  EXPECT_GT(measured("in the loop", "ms "), measured("processes", "ms ")) << text;
}

TEST_F(DemosTest, SpawnOverhead_ExpectedReport) {
  const Recording recording = run_without_stall("spawn_overhead", "pools/spawn_overhead.cc");
  EXPECT_EQ(recording.end()["processes"], 81);
  for (const char* way : {"new processes", "forked processes", "thread pool"}) {
    EXPECT_GE(measured(way), 10.0) << output();
  }
  EXPECT_GT(measured("new processes", "task, "), 0) << output();
}

TEST_F(DemosTest, LockHeldOverIo_ExpectedReport) {
  const Recording recording = run_with_stalls("lock_held_over_io", "locks/lock_held_over_io.cc");
  const Json stall = recording.final_stalls().at(0);
  ASSERT_TRUE(stall.contains("owners"));
  ASSERT_EQ(stall["owners"].size(), 1u);
  EXPECT_EQ(stall["owners"][0]["call"]["function"], "read");
}

TEST_F(DemosTest, Deadlock_ExpectedReport) {
  expect_deadlocks();
  const Recording recording = run("deadlock", killed(SIGABRT), {{"TAILBACK_ON_DEADLOCK", "abort"}});
  const std::vector<Json> deadlocks = recording.deadlocks();
  ASSERT_EQ(deadlocks.size(), 1u);
  Json cycle = Json::array();
  for (const Json& thread : deadlocks[0]["threads"]) {
    if (thread["in_cycle"].get<bool>()) {
      cycle.push_back(thread);
    }
  }
  EXPECT_EQ(cycle.size(), 2u);
  EXPECT_EQ(differences_in_places(expected_of("deadlock", "locks/deadlock.cc"), cycle),
            std::vector<std::string>{});
}

TEST_F(DemosTest, LockOrder_ExpectedReport) {
  const Recording recording = run("lock_order", exited(0), {{"TAILBACK_LOCK_ORDER", "1"}});
  const std::vector<Json> orders = recording.of_type("lock-order");
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(
      differences_in_places(expected_of("lock_order", "locks/lock_order.cc"), orders[0]["steps"]),
      std::vector<std::string>{});
}

TEST_F(DemosTest, Dns_ExpectedReport) {
  run_with_stalls("dns", "waits/dns.cc");
}

// How slow a disk is, is its own affair.
TEST_F(DemosTest, Fsync_ExpectedReport) {
  const Recording recording = run("fsync");
  if (output().find("a very quick one") != std::string::npos) {
    GTEST_SKIP() << "fsync() takes no time here";
  }
  const Expectation expected = expected_of("fsync", "waits/fsync.cc").at(0);
  const std::vector<Json> stalls = own_stalls(recording);
  const bool is_published = std::any_of(stalls.begin(), stalls.end(), [&](const Json& stall) {
    return differences(expected, stall).empty();
  });
  EXPECT_TRUE(is_published) << summary(stalls);
}

}  // namespace
}  // namespace tailback::test
