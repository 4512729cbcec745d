// Waits for locks under --locks: none where all locks are free, and else each lock with its waits,
// lengths and places.
#include <algorithm>
#include <fstream>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

class ContentionTest : public IntegrationTest {
 protected:
  Recording run(std::vector<std::string> command) {
    WatchOptions options;
    options.command = std::move(command);
    options.environment = {{"TAILBACK_LOCKS", "1"}};
    return finished(watch(options), exited(0), std::chrono::seconds(120));
  }
  Recording run_mode(const std::string& mode) {
    return run({built_program("contended_locks"), mode});
  }

  static std::vector<Json> locks(const Recording& recording) {
    std::vector<Json> found;
    for (const Json& line : recording.lines()) {
      if (line["type"] == "contention") found.push_back(line);
    }
    return found;
  }

  static bool is_in(const Json& stack, const std::string& function) {
    const Json& frames = stack["stack"];
    return std::any_of(frames.begin(), frames.end(), [&](const Json& frame) {
      return !frame["function"].is_null() &&
             frame["function"].get<std::string>().find(function) != std::string::npos;
    });
  }

  // The line of the target's source that holds this text.
  static int line_of(const std::string& text) {
    std::ifstream source(source_file("tests/integration/targets/contended_locks.cc"));
    std::string line;
    for (int number = 1; std::getline(source, line); ++number) {
      if (line.find(text) != std::string::npos) return number;
    }
    return 0;
  }

  static void expect_at(const Json& frame, const std::string& function, const std::string& text) {
    EXPECT_NE(frame["function"].get<std::string>().find(function), std::string::npos) << frame;
    EXPECT_TRUE(frame["file"].get<std::string>().ends_with("contended_locks.cc")) << frame;
    EXPECT_EQ(frame["line"], line_of(text)) << frame;
  }

  // Of three threads that wait while a fourth holds the lock for 400 ms, then each holds it for 30.
  static void expect_waits(const Json& lock, const std::string& kind, const std::string& name,
                           const std::string& function, const std::string& text) {
    EXPECT_EQ(lock["lock"]["kind"], kind);
    if (name.empty()) {
      EXPECT_TRUE(lock["lock"]["name"].is_null());
    } else {
      EXPECT_NE(lock["lock"]["name"].get<std::string>().find(name), std::string::npos) << lock;
    }
    EXPECT_EQ(lock["waits"], 3);
    // The last one waited for two others beside the first. They start when they get to it.
    EXPECT_GE(lock["longest_ms"].get<double>(), 100);
    EXPECT_GE(lock["total_ms"].get<double>(), lock["longest_ms"].get<double>() + 90);
    ASSERT_EQ(lock["places"].size(), 1u) << lock;
    expect_at(lock["places"][0]["frame"], function, text);
    EXPECT_EQ(lock["places"][0]["waits"], 3);
    ASSERT_FALSE(lock["waiters"].empty()) << lock;
    const Json& waiter = lock["waiters"][0];
    ASSERT_FALSE(waiter["culprit"].is_null());
    expect_at(waiter["stack"][waiter["culprit"].get<size_t>()], function, text);
  }

  // Taken at once, and held while others waited; they say so by name.
  static void expect_held(const Json& lock) {
    EXPECT_GE(lock["longest_hold_ms"].get<double>(), 100);
    EXPECT_TRUE(lock["longest_hold_at_least"].get<bool>());
    // Those that waited held it, too, for longer yet where the machine is busy.
    const Json& owners = lock["owners"];
    EXPECT_TRUE(std::any_of(owners.begin(), owners.end(), [](const Json& owner) {
      return is_in(owner, "wait_beside");
    })) << lock;
  }
};

TEST_F(ContentionTest, UncontendedLocks_Silent) {
  const Recording recording = run_mode("alone");
  for (const Json& lock : locks(recording)) {
    // The C library's and its allocator's own are not the program's.
    ADD_FAILURE() << lock.dump(1);
  }
  EXPECT_EQ(recording.end()["counts"]["contention"]["reported"], 0);
  EXPECT_EQ(recording.end()["losses"]["lock_waits"], 0);
}

TEST_F(ContentionTest, OptionOff_Silent) {
  WatchOptions options;
  options.command = {built_program("contended_locks"), "mutex"};
  EXPECT_TRUE(locks(finished(watch(options))).empty());
}

TEST_F(ContentionTest, Mutex_Reported) {
  const auto found = locks(run_mode("mutex"));
  ASSERT_EQ(found.size(), 1u);
  expect_waits(found[0], "mutex", "journal", "append", "pthread_mutex_lock(&mutex)");
  expect_held(found[0]);
}

TEST_F(ContentionTest, HeapMutex_Reported) {
  const auto found = locks(run_mode("heap"));
  ASSERT_EQ(found.size(), 1u);
  expect_waits(found[0], "mutex", "", "append", "pthread_mutex_lock(&mutex)");
  expect_held(found[0]);
  expect_at(found[0]["lock"]["initialised"], "new_mutex", "pthread_mutex_init(mutex");
}

TEST_F(ContentionTest, ReadWriteLock_Reported) {
  const auto found = locks(run_mode("rwlock"));
  ASSERT_EQ(found.size(), 1u);
  expect_waits(found[0], "rwlock", "table", "update", "pthread_rwlock_wrlock(&table);");
  expect_held(found[0]);
}

TEST_F(ContentionTest, StdMutex_Reported) {
  const auto found = locks(run_mode("std"));
  ASSERT_EQ(found.size(), 1u);
  expect_waits(found[0], "mutex", "cache", "refill", "  cache.lock();");
  expect_held(found[0]);
}

TEST_F(ContentionTest, ComputingOwner_StackReported) {
  const auto found = locks(run_mode("computing"));
  ASSERT_EQ(found.size(), 1u);
  ASSERT_FALSE(found[0]["owners"].empty()) << found[0];
  const Json& owner = found[0]["owners"][0];
  EXPECT_TRUE(owner["call"].is_null()) << owner;
  ASSERT_FALSE(owner["culprit"].is_null()) << owner;
  const Json& culprit = owner["stack"][owner["culprit"].get<size_t>()];
  EXPECT_NE(culprit["function"].get<std::string>().find("compute"), std::string::npos) << owner;
}

TEST_F(ContentionTest, PythonLock_FunctionsNamed) {
  const Recording recording = run({find_program("python3").value_or("python3"),
                                   source_file("tests/integration/targets/python/contended.py")});
  bool waits = false;
  bool holds = false;
  for (const Json& lock : locks(recording)) {
    for (const Json& stack : lock["waiters"]) waits |= is_in(stack, "want_it");
    for (const Json& stack : lock["owners"]) holds |= is_in(stack, "have_it");
  }
  EXPECT_TRUE(waits);
  EXPECT_TRUE(holds);
}

TEST_F(ContentionTest, Semaphore_HoldTimeUnknown) {
  const auto found = locks(run_mode("semaphore"));
  ASSERT_EQ(found.size(), 1u);
  expect_waits(found[0], "semaphore", "tickets", "enter", "  sem_wait(&tickets);");
  EXPECT_TRUE(found[0]["longest_hold_ms"].is_null());
}

TEST_F(ContentionTest, ContendedProgram_ResultUnchanged) {
  const Recording recording = run_mode("storm");
  EXPECT_EQ(recording.end()["losses"]["lock_waits"], 0);
  for (const Json& lock : locks(recording)) {
    uint64_t waits = 0;
    for (const Json& place : lock["places"]) waits += place["waits"].get<uint64_t>();
    EXPECT_EQ(lock["waits"], waits);
    EXPECT_LE(lock["waits"], 1200000);
    EXPECT_GE(lock["total_ms"], lock["longest_ms"]);
  }
}

TEST_F(ContentionTest, PythonLock_Reported) {
  const Recording recording = run({"python3", "-c", R"(
import threading, time
lock = threading.Lock()
total = 0
def work():
    global total
    for i in range(10):
        with lock:
            total += 1
            time.sleep(0.01)
threads = [threading.Thread(target=work) for i in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
assert total == 40
)"});
  const auto found = locks(recording);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0]["lock"]["kind"], "semaphore");
  EXPECT_GE(found[0]["longest_ms"].get<double>(), 9);
}

}  // namespace
}  // namespace tailback::test
