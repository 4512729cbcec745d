// Programs that hang: the report is there while they do. First those that only look like it.
#include <signal.h>

#include <fstream>
#include <set>

#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

using std::chrono::seconds;
using Variables = std::vector<std::pair<std::string, std::string>>;

class DeadlocksTest : public IntegrationTest {
 protected:
  WatchedProgram& start(std::vector<std::string> command, Variables environment = {}) {
    WatchOptions options;
    options.command = std::move(command);
    options.environment = std::move(environment);
    return watch(options);
  }

  WatchedProgram& hang(const std::string& what, Variables environment = {}) {
    expect_deadlocks();
    return start({built_program("deadlocks"), what}, std::move(environment));
  }

  // The deadlock that is reported while the program hangs. Ends the program; there is no other.
  Json only_deadlock(WatchedProgram& program) {
    EXPECT_TRUE(eventually(seconds(20), [&] { return !program.recording().deadlocks().empty(); }));
    EXPECT_TRUE(program.process().running());
    // Time for a second report, which there must not be.
    std::this_thread::sleep_for(seconds(1));
    text_ = program.text_report() + program.errors();
    program.process().signal(SIGKILL);
    const std::vector<Json> all = program.recording().deadlocks();
    EXPECT_EQ(all.size(), 1u);
    for (const std::string& fault : program.recording().faults()) ADD_FAILURE() << fault;
    if (all.empty()) throw std::runtime_error("there is no deadlock");
    return all[0];
  }
  Json only_deadlock(const std::string& what) { return only_deadlock(hang(what)); }

  std::string text_;
};

std::vector<Json> in_cycle(const Json& deadlock) {
  std::vector<Json> threads;
  for (const Json& thread : deadlock["threads"]) {
    if (thread["in_cycle"] == true) threads.push_back(thread);
  }
  return threads;
}

const Json& thread_of_name(const Json& deadlock, const std::string& name) {
  for (const Json& thread : deadlock["threads"]) {
    if (thread["thread"] == name) return thread;
  }
  throw std::runtime_error("no thread of this name: " + name);
}

bool stands_at(const Json& thread, const std::string& function, const std::string& words) {
  std::ifstream file(source_file("tests/integration/targets/locks/deadlocks.cc"));
  std::set<int> lines;
  int number = 1;
  for (std::string line; std::getline(file, line); ++number) {
    if (line.find(words) != std::string::npos) lines.insert(number);
  }
  for (const Json& frame : thread["stack"]) {
    if (function_is(frame, function) && lines.contains(frame["line"].get<int>())) return true;
  }
  return false;
}

TEST_F(DeadlocksTest, ContendedCorrectPrograms_Silent) {
  finished(start({built_program("contended"), "1500"}), exited(0), seconds(90));
}

TEST_F(DeadlocksTest, HealthyPythonThreads_Silent) {
  TAILBACK_NEEDS("python3");
  const auto script = directory().write("queues.py", R"(import queue, threading, time
jobs, results = queue.Queue(8), queue.Queue(8)
gate, count = threading.Semaphore(2), threading.Condition()
def work():
    while (job := jobs.get()) is not None:
        with gate, count:
            time.sleep(0.0005)
            count.notify_all()
        results.put(job)
pool = [threading.Thread(target=work) for _ in range(6)]
feeder = threading.Thread(target=lambda: [jobs.put(i) for i in range(3000)])
for one in pool + [feeder]: one.start()
for _ in range(3000): results.get()
time.sleep(1.5)  # all rest
for _ in pool: jobs.put(None)
for one in pool + [feeder]: one.join()
)");
  finished(start({"python3", script.string()}), exited(0), seconds(90));
}

TEST_F(DeadlocksTest, TimedWait_Silent) {
  finished(start({built_program("deadlocks"), "timed"}), exited(0), seconds(60));
}

TEST_F(DeadlocksTest, IdleThreads_Silent) {
  WatchedProgram& program = start({built_program("deadlocks"), "idle_pool"});
  program.announced("ready");
  std::this_thread::sleep_for(seconds(3));
  program.process().signal(SIGTERM);
  finished(program, killed(SIGTERM));
}

TEST_F(DeadlocksTest, TwoLocksTwoOrders_Reported) {
  const Json deadlock = only_deadlock("ab_ba");
  EXPECT_EQ(deadlock["kind"], "cycle");
  ASSERT_EQ(in_cycle(deadlock).size(), 2u);
  const Json& left = thread_of_name(deadlock, "left");
  const Json& right = thread_of_name(deadlock, "right");
  EXPECT_EQ(left["wants"]["name"], "lock_b");
  EXPECT_EQ(left["holds"][0]["name"], "lock_a");
  EXPECT_EQ(right["wants"]["name"], "lock_a");
  EXPECT_EQ(right["holds"][0]["name"], "lock_b");
  for (const Json& thread : {left, right}) {
    EXPECT_EQ(thread["call"]["function"], "pthread_mutex_lock");
    EXPECT_TRUE(stands_at(thread, "take_in_order", "pthread_mutex_lock(second);  // the deadlock"))
        << thread["stack"];
    EXPECT_EQ(thread["waits_for"].size(), 1u);
  }
  // Its main thread joins them.
  EXPECT_EQ(deadlock["threads"].size(), 3u);
  EXPECT_TRUE(text_.find("deadlock of 2 threads: left[") != std::string::npos ||
              text_.find("deadlock of 2 threads: right[") != std::string::npos)
      << text_;
  EXPECT_LT(deadlock["lasted_ms"].get<double>(), 10'000);
}

TEST_F(DeadlocksTest, RingsOfThreeAndFive_Reported) {
  EXPECT_EQ(in_cycle(only_deadlock("three_way")).size(), 3u);
  const Json dining = only_deadlock("dining");
  ASSERT_EQ(in_cycle(dining).size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(dining["threads"][i]["waits_for"], Json::array({(i + 1) % 5}));
  }
}

TEST_F(DeadlocksTest, SelfDeadlock_Reported) {
  const Json deadlock = only_deadlock("self");
  EXPECT_EQ(deadlock["kind"], "self");
  ASSERT_EQ(deadlock["threads"].size(), 1u);
  EXPECT_EQ(deadlock["threads"][0]["wants"]["name"], "lock_a");
  EXPECT_TRUE(stands_at(deadlock["threads"][0], "take_twice", "// the deadlock"));
}

TEST_F(DeadlocksTest, ReaderUpgrade_Reported) {
  const Json deadlock = only_deadlock("upgrade");
  EXPECT_EQ(deadlock["kind"], "self");
  EXPECT_EQ(deadlock["threads"][0]["wants"]["type"], "write");
  EXPECT_EQ(deadlock["threads"][0]["holds"][0]["type"], "read");
  EXPECT_TRUE(stands_at(deadlock["threads"][0], "upgrade", "// the deadlock"));
  EXPECT_NE(deadlock["advice"].get<std::string>().find("for reading"), std::string::npos);
}

TEST_F(DeadlocksTest, WriterAndMutex_Reported) {
  const Json deadlock = only_deadlock("writer_and_mutex");
  EXPECT_EQ(thread_of_name(deadlock, "writer")["holds"][0]["name"], "table_lock");
  EXPECT_EQ(thread_of_name(deadlock, "writer")["holds"][0]["type"], "write");
  EXPECT_EQ(thread_of_name(deadlock, "reader")["wants"]["type"], "read");
}

TEST_F(DeadlocksTest, ReaderAndMutex_Reported) {
  const Json deadlock = only_deadlock("reader_and_mutex");
  ASSERT_EQ(in_cycle(deadlock).size(), 2u);
  EXPECT_EQ(thread_of_name(deadlock, "reader")["holds"][0]["type"], "read");
  EXPECT_EQ(thread_of_name(deadlock, "writer")["wants"]["holders"], "held by a reader");
}

TEST_F(DeadlocksTest, LockHeldOverFork_Reported) {
  const Json deadlock = only_deadlock("held_over_fork");
  EXPECT_EQ(deadlock["kind"], "lost-owner");
  EXPECT_EQ(deadlock["threads"][0]["wants"]["name"], "lock_a");
}

TEST_F(DeadlocksTest, ExitedOwner_Reported) {
  const Json deadlock = only_deadlock("lost_owner");
  EXPECT_EQ(deadlock["kind"], "lost-owner");
  EXPECT_EQ(deadlock["threads"][0]["thread"], "waiter");
  EXPECT_TRUE(deadlock["threads"][0]["waits_for"].empty());
}

TEST_F(DeadlocksTest, MutualJoin_Reported) {
  const Json deadlock = only_deadlock("join_each_other");
  ASSERT_EQ(in_cycle(deadlock).size(), 2u);
  EXPECT_EQ(deadlock["threads"][0]["wants"]["kind"], "thread");
  EXPECT_TRUE(stands_at(deadlock["threads"][0], "join_the_other", "pthread_join"));
}

TEST_F(DeadlocksTest, SemaphoreNobodyPosts_Reported) {
  const Json deadlock = only_deadlock("hand_off");
  EXPECT_EQ(thread_of_name(deadlock, "left")["wants"]["name"], "turn_left");
  EXPECT_EQ(thread_of_name(deadlock, "right")["wants"]["name"], "turn_right");
}

TEST_F(DeadlocksTest, SemaphoresAsLocks_Reported) {
  const Json deadlock = only_deadlock("semaphore_locks");
  ASSERT_EQ(in_cycle(deadlock).size(), 2u);
  EXPECT_EQ(thread_of_name(deadlock, "left")["wants"]["name"], "turn_right");
  EXPECT_EQ(thread_of_name(deadlock, "left")["holds"][0]["name"], "turn_left");
}

TEST_F(DeadlocksTest, BarrierUnderLock_Reported) {
  const Json deadlock = only_deadlock("barrier_under_lock");
  EXPECT_EQ(thread_of_name(deadlock, "left")["wants"]["kind"], "barrier");
  EXPECT_EQ(thread_of_name(deadlock, "left")["holds"][0]["name"], "lock_a");
}

TEST_F(DeadlocksTest, FileLocksOfProcesses_Reported) {
  const Json deadlock = only_deadlock("file_locks");
  const std::vector<Json> threads = in_cycle(deadlock);
  ASSERT_EQ(threads.size(), 2u);
  EXPECT_NE(threads[0]["pid"], threads[1]["pid"]);
  EXPECT_EQ(threads[0]["wants"]["kind"], "file");
  EXPECT_EQ(threads[0]["wants"]["name"], threads[1]["holds"][0]["name"]);
}

TEST_F(DeadlocksTest, PythonLocks_Reported) {
  TAILBACK_NEEDS("python3");
  const auto script = directory().write("orders.py", R"(import threading
a, b = threading.Lock(), threading.Lock()
both = threading.Barrier(2)
def take(first, second):
    with first:
        both.wait()
        with second:  # the deadlock
            pass
for lock in a, b:
    with lock: pass
threads = [threading.Thread(target=take, args=order) for order in ((a, b), (b, a))]
for one in threads: one.start()
for one in threads: one.join()
)");
  expect_deadlocks();
  const Json deadlock = only_deadlock(start({"python3", script.string()}));
  const std::vector<Json> threads = in_cycle(deadlock);
  ASSERT_EQ(threads.size(), 2u);
  for (const Json& thread : threads) {
    EXPECT_EQ(thread["wants"]["kind"], "semaphore");
    const Json& frame = thread["stack"][thread["culprit"].get<size_t>()];
    EXPECT_EQ(frame["function"], "take");
    EXPECT_EQ(frame["line"], 7);
  }
}

TEST_F(DeadlocksTest, AbortOption_ProcessAborted) {
  WatchedProgram& program = hang("ab_ba", {{"TAILBACK_ON_DEADLOCK", "abort"}});
  const Recording recording = finished(program, killed(SIGABRT));
  EXPECT_EQ(recording.deadlocks().size(), 1u);
  EXPECT_EQ(recording.end()["counts"]["deadlock"]["reported"], 1);
  EXPECT_EQ(recording.end()["signal"], SIGABRT);
}

TEST_F(DeadlocksTest, FailOn_StatusSet) {
  WatchedProgram& program =
      hang("self", {{"TAILBACK_ON_DEADLOCK", "abort"}, {"TAILBACK_FAIL_ON", "deadlock"}});
  finished(program, exited(66));
  Process report =
      run_helper("report", {tailback_binary(), "report", program.recording_path().string()});
  EXPECT_EQ(report.wait(seconds(20)), exited(0));
  const std::string text = file_text(directory().path() / "report.out");
  EXPECT_NE(text.find("waits for lock_a, which it holds itself"), std::string::npos) << text;
}

TEST_F(DeadlocksTest, Suppressed_NotReportedNotAborted) {
  const auto rules = directory().write("known.supp", "cause=deadlock object=lock_a\n");
  WatchedProgram& program =
      start({built_program("deadlocks"), "self"}, {{"TAILBACK_ON_DEADLOCK", "abort"},
                                                   {"TAILBACK_FAIL_ON", "deadlock"},
                                                   {"TAILBACK_SUPPRESSIONS", rules.string()}});
  program.announced("ready");
  std::this_thread::sleep_for(seconds(3));
  EXPECT_TRUE(program.process().running());
  program.process().signal(SIGTERM);
  const Recording recording = finished(program, killed(SIGTERM));
  EXPECT_EQ(recording.end()["counts"]["deadlock"]["suppressed"], 1);
  EXPECT_EQ(recording.end()["counts"]["deadlock"]["reported"], 0);
}

}  // namespace
}  // namespace tailback::test
