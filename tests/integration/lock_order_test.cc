// Orders of locks that can deadlock, in programs that do not: none in correct ones, and in the
// others each once, with its locks, threads and places.
#include <algorithm>
#include <fstream>
#include <set>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

class LockOrderTest : public IntegrationTest {
 protected:
  Recording run(std::vector<std::string> command, const Ending& ending = exited(0)) {
    WatchOptions options;
    options.command = std::move(command);
    options.environment = {{"TAILBACK_LOCK_ORDER", "1"}};
    return finished(watch(options), ending, std::chrono::seconds(120));
  }
  Recording run_mode(const std::string& mode) { return run({built_program("lock_orders"), mode}); }

  static std::vector<Json> orders(const Recording& recording) {
    std::vector<Json> found;
    for (const Json& line : recording.lines()) {
      if (line["type"] == "lock-order") found.push_back(line);
    }
    return found;
  }

  static ::testing::AssertionResult has_none(const Recording& recording) {
    const auto found = orders(recording);
    if (found.empty()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << found.size() << ", the first " << found.front().dump(1);
  }

  // The innermost frame of the target's functions that take locks: its name, file and line.
  static std::string place(const Json& stack) {
    for (const Json& frame : stack) {
      if (frame["function"].is_null() || frame["file"].is_null()) continue;
      const std::string function = frame["function"];
      const std::string file = frame["file"];
      for (const char* name :
           {"forwards", "backwards", "dine", "read_then_lock", "lock_then_write", "wait_holding"}) {
        if (function.find(name) == std::string::npos) continue;
        return std::string(name) + " " + file.substr(file.rfind('/') + 1) + ":" +
               std::to_string(frame["line"].get<int>());
      }
    }
    return "nowhere";
  }

  // The line of the target's source that holds this text.
  static std::string at(const std::string& function, const std::string& text) {
    std::ifstream source(source_file("tests/integration/targets/lock_orders.cc"));
    std::string line;
    bool in_function = false;
    for (int number = 1; std::getline(source, line); ++number) {
      in_function |= line.find(" " + function + "(") != std::string::npos;
      if (in_function && line.find(text) != std::string::npos) {
        return function + " lock_orders.cc:" + std::to_string(number);
      }
    }
    return "no such line";
  }

  static void expect_two_ways(const Recording& recording, const std::string& kind,
                              const std::set<std::string>& names) {
    const auto found = orders(recording);
    ASSERT_EQ(found.size(), 1u) << recording.lines().back().dump();
    const Json& order = found.front();
    ASSERT_EQ(order["steps"].size(), 2u);
    std::set<std::string> places, seen_names;
    std::set<int> tids;
    for (const Json& step : order["steps"]) {
      EXPECT_FALSE(step["culprit"].is_null()) << step.dump(1);
      places.insert(place(step["stack"]));
      EXPECT_TRUE(step["stack_complete"].get<bool>());
      EXPECT_NE(step["held"], step["taken"]);
      EXPECT_EQ(
          step["held_at"]["file"].get<std::string>().find("lock_orders.cc") != std::string::npos,
          true)
          << step["held_at"].dump();
      tids.insert(step["tid"].get<int>());
    }
    for (const Json& lock : order["locks"]) {
      EXPECT_EQ(lock["kind"], kind);
      if (!lock["name"].is_null()) seen_names.insert(lock["name"].get<std::string>());
    }
    EXPECT_EQ(places,
              (std::set<std::string>{at("forwards", "second(b)"), at("backwards", "second(a)")}));
    EXPECT_EQ(tids.size(), 2u);
    ASSERT_EQ(seen_names.size(), names.size());
    for (const std::string& name : names) {
      EXPECT_TRUE(std::any_of(seen_names.begin(), seen_names.end(), [&](const std::string& seen) {
        return seen.find(name) != std::string::npos;
      })) << name;
    }
    EXPECT_EQ(recording.end()["counts"]["lock_order"]["reported"], 1);
  }
};

TEST_F(LockOrderTest, CorrectPrograms_Silent) {
  for (const char* mode : {"producer_consumer", "readers_writer", "hierarchy", "back_off",
                           "hand_over_hand", "pool", "gate", "recursive", "condition", "cancelled",
                           "recreated", "reused", "on_stack", "signals"}) {
    SCOPED_TRACE(mode);
    const Recording recording = run_mode(mode);
    EXPECT_TRUE(has_none(recording));
    EXPECT_EQ(recording.end()["losses"]["lock_acquisitions"], 0);
  }
}

TEST_F(LockOrderTest, OptionOff_Silent) {
  WatchOptions options;
  options.command = {built_program("lock_orders"), "in_variables"};
  EXPECT_TRUE(has_none(finished(watch(options))));
}

TEST_F(LockOrderTest, GlobalMutexes_NamedByVariable) {
  const Recording recording = run_mode("in_variables");
  expect_two_ways(recording, "mutex", {"accounts", "journal"});
  std::set<std::string> held;
  const auto found = orders(recording);
  for (const Json& step : found.front()["steps"]) {
    held.insert(place(Json::array({step["held_at"]})));
  }
  EXPECT_EQ(held, (std::set<std::string>{at("forwards", "first(a)"), at("backwards", "first(b)")}));
}

TEST_F(LockOrderTest, InitialisedMutexes_NamedByInitSite) {
  for (const char* mode : {"initialised", "destroyed"}) {
    SCOPED_TRACE(mode);
    const Recording recording = run_mode(mode);
    expect_two_ways(recording, "mutex", {});
    const auto found = orders(recording);
    for (const Json& lock : found.front()["locks"]) {
      ASSERT_FALSE(lock["initialised"].is_null());
      EXPECT_NE(lock["initialised"]["function"].get<std::string>().find("new_mutex"),
                std::string::npos);
    }
  }
}

TEST_F(LockOrderTest, HeapMutexes_Reported) {
  expect_two_ways(run_mode("on_heap"), "mutex", {});
}

TEST_F(LockOrderTest, C11Mutexes_Reported) {
  expect_two_ways(run_mode("c11"), "mutex", {"c11_accounts", "c11_journal"});
}

TEST_F(LockOrderTest, SpinLocks_Reported) {
  expect_two_ways(run_mode("spin"), "spin", {"spin_accounts", "spin_journal"});
}

TEST_F(LockOrderTest, ConditionWait_RelockIsAnOrder) {
  const auto found = orders(run_mode("waited"));
  ASSERT_EQ(found.size(), 1u);
  std::set<std::string> places;
  for (const Json& step : found[0]["steps"]) places.insert(place(step["stack"]));
  EXPECT_EQ(places,
            (std::set<std::string>{at("forwards", "second(b)"), at("wait_holding", "wait_for(")}));
}

TEST_F(LockOrderTest, ThreeLocks_OneCycleReported) {
  const auto found = orders(run_mode("three_ways"));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["steps"].size(), 3u);
  EXPECT_EQ(found[0]["locks"].size(), 3u);
}

TEST_F(LockOrderTest, Philosophers_OneRingReported) {
  const auto found = orders(run_mode("philosophers"));
  ASSERT_EQ(found.size(), 1u);
  ASSERT_EQ(found[0]["steps"].size(), 5u);
  for (const Json& step : found[0]["steps"]) {
    EXPECT_EQ(place(step["stack"]), at("dine", "right("));
  }
}

TEST_F(LockOrderTest, ReaderAndWriter_Reported) {
  const auto found = orders(run_mode("reader_and_writer"));
  ASSERT_EQ(found.size(), 1u);
  std::set<std::string> purposes;
  for (const Json& step : found[0]["steps"]) {
    purposes.insert(step["held_for"].get<std::string>() + "-" +
                    step["taken_for"].get<std::string>());
  }
  EXPECT_EQ(purposes, (std::set<std::string>{"read-mutex", "mutex-write"}));
}

TEST_F(LockOrderTest, FailOn_StatusSet) {
  WatchOptions options;
  options.command = {built_program("lock_orders"), "in_variables"};
  options.environment = {{"TAILBACK_LOCK_ORDER", "1"}, {"TAILBACK_FAIL_ON", "deadlock"}};
  finished(watch(options), exited(66));
  options.command.back() = "hierarchy";
  finished(watch(options), exited(0));
}

TEST_F(LockOrderTest, HealthyPython_Silent) {
  EXPECT_TRUE(has_none(run({"python3", "-c", R"(
import threading, queue, concurrent.futures
q = queue.Queue()
threading.Thread(target=lambda: [q.put(i) for i in range(1000)]).start()
[q.get() for i in range(1000)]
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(lambda i: i * i, range(1000))))
)"})));
}

}  // namespace
}  // namespace tailback::test
