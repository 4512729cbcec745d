// A loop that waits for a lock: which lock, who holds it, and what that thread does meanwhile.
#include <fstream>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

constexpr char kSource[] = "tests/integration/targets/locks/lock_owners.cc";

// The line of the target's source that holds this text.
int line_of(const std::string& text) {
  std::ifstream file(source_file(kSource));
  int number = 1;
  for (std::string line; std::getline(file, line); ++number) {
    if (line.find(text) != std::string::npos) return number;
  }
  return 0;
}

class LockOwnersTest : public IntegrationTest {
 protected:
  Json only_stall(const std::string& what) {
    WatchOptions options;
    options.command = {built_program("lock_owners"), what};
    WatchedProgram& program = watch(options);
    const Recording recording = finished(program);
    text_ = program.text_report();
    EXPECT_TRUE(has_stalls(recording, 1));
    if (recording.final_stalls().size() != 1) throw std::runtime_error("there is no only stall");
    return recording.final_stalls()[0];
  }

  bool text_has(const std::string& words) const { return text_.find(words) != std::string::npos; }

  std::string text_;
};

bool runs(const Json& owner, const std::string& function, int line) {
  for (const Json& frame : owner["stack"]) {
    if (function_is(frame, function) && frame["line"] == line &&
        frame["file"].get<std::string>().ends_with(kSource)) {
      return true;
    }
  }
  return false;
}

struct Kind {
  const char* argument;
  const char* kind;
  const char* type;  // nullptr: none
  const char* name;
};
void PrintTo(const Kind& kind, std::ostream* stream) {
  *stream << kind.argument;
}

class EveryKind : public LockOwnersTest, public ::testing::WithParamInterface<Kind> {};

TEST_P(EveryKind, BlockedByLock_OwnerAndItsCallNamed) {
  const Kind& kind = GetParam();
  const Json stall = only_stall(kind.argument);
  EXPECT_EQ(stall["cause"], "lock") << summary(stall);
  const Json& lock = stall["lock"];
  EXPECT_EQ(lock["kind"], kind.kind);
  EXPECT_EQ(lock["name"], kind.name);
  EXPECT_EQ(lock["type"], kind.type ? Json(kind.type) : Json(nullptr));
  ASSERT_EQ(stall["owners"].size(), 1u) << stall["owners"];
  const Json& owner = stall["owners"][0];
  EXPECT_EQ(owner["thread"], "flusher");
  EXPECT_EQ(owner["pid"], stall["pid"]);
  EXPECT_NE(owner["tid"], stall["tid"]);
  EXPECT_EQ(owner["state"], "blocked");
  EXPECT_EQ(owner["call"]["function"], "usleep");
  EXPECT_EQ(owner["lock"]["name"], kind.name);
  EXPECT_TRUE(runs(owner, "flush", line_of("the owner's own call"))) << owner["stack"];
  EXPECT_TRUE(advises(stall, "move the usleep out of the critical section of ")) << stall["advice"];
  EXPECT_TRUE(text_has("held by  flusher[")) << text_;
  EXPECT_TRUE(text_has(", which is in usleep at ")) << text_;
}

INSTANTIATE_TEST_SUITE_P(
    Locks, EveryKind,
    ::testing::Values(Kind{"mutex", "mutex", nullptr, "cache_mutex"},
                      Kind{"error-checking", "mutex", "error-checking", "cache_mutex"},
                      Kind{"recursive", "mutex", "recursive", "cache_mutex"},
                      Kind{"robust", "mutex", "robust", "cache_mutex"},
                      Kind{"priority-inheriting", "mutex", "priority-inheriting", "cache_mutex"},
                      Kind{"process-shared", "mutex", "process-shared", "cache_mutex"},
                      Kind{"rwlock", "rwlock", "write", "table_lock"},
                      Kind{"c11", "mutex", nullptr, "c11_mutex"},
                      Kind{"std", "mutex", nullptr, "std_mutex"},
                      Kind{"std-recursive", "mutex", "recursive", "std_recursive_mutex"},
                      Kind{"std-timed", "mutex", nullptr, "std_timed_mutex"},
                      Kind{"std-shared", "rwlock", "write", "std_shared_mutex"},
                      Kind{"futex-pi", "futex", "priority-inheriting", "futex_word"},
                      Kind{"stream", "stream", nullptr, "_IO_2_1_stdout_"}));

TEST_F(LockOwnersTest, ReadHolder_Named) {
  const Json stall = only_stall("readers");
  EXPECT_EQ(stall["lock"]["name"], "table_lock");
  EXPECT_EQ(stall["lock"]["holders"], "held by 2 readers");
  ASSERT_EQ(stall["owners"].size(), 1u) << stall["owners"];
  EXPECT_EQ(stall["owners"][0]["thread"], "reader");
  EXPECT_EQ(stall["owners"][0]["lock"]["type"], "read");
  EXPECT_EQ(stall["owners"][0]["call"]["function"], "usleep");
}

TEST_F(LockOwnersTest, OwnerlessLock_UnknownOwner) {
  for (const char* const what : {"spin", "semaphore"}) {
    const Json stall = only_stall(what);
    // Who spins for a lock needs a CPU, and on a busy machine lacks one for most of the time.
    if (what == std::string("spin") && stall["cause"] == "run-queue-wait") continue;
    EXPECT_EQ(stall["cause"], "lock") << summary(stall);
    ASSERT_TRUE(stall["lock"].is_object()) << summary(stall);
    EXPECT_EQ(stall["lock"]["kind"], what);
    EXPECT_TRUE(stall["owners"].empty()) << stall["owners"];
    ASSERT_FALSE(stall["limits"].empty()) << what;
    EXPECT_NE(stall["limits"].dump().find("is not known"), std::string::npos) << stall["limits"];
  }
  EXPECT_EQ(only_stall("semaphore")["lock"]["holders"].get<std::string>().find(
                "last taken by thread flusher ("),
            0u);
}

TEST_F(LockOwnersTest, OwnerChain_FollowedToEnd) {
  const Json stall = only_stall("chain");
  EXPECT_EQ(stall["lock"]["name"], "cache_mutex");
  ASSERT_EQ(stall["owners"].size(), 2u) << stall["owners"];
  const Json& flusher = stall["owners"][0];
  EXPECT_EQ(flusher["thread"], "flusher");
  EXPECT_EQ(flusher["call"]["function"], "pthread_mutex_lock");
  EXPECT_EQ(flusher["call"]["object"].get<std::string>().find("log_mutex, held by thread logger"),
            0u)
      << flusher["call"];
  const Json& logger = stall["owners"][1];
  EXPECT_EQ(logger["thread"], "logger");
  EXPECT_EQ(logger["lock"]["name"], "log_mutex");
  EXPECT_EQ(logger["call"]["function"], "usleep");
  EXPECT_TRUE(advises(stall, "of log_mutex")) << stall["advice"];
}

TEST_F(LockOwnersTest, ComputingOwner_StackRead) {
  const Json stall = only_stall("running");
  ASSERT_FALSE(stall["owners"].empty());
  const Json& owner = stall["owners"][0];
  EXPECT_EQ(owner["thread"], "cruncher");
  EXPECT_NE(owner["state"], "blocked");
  if (owner["state"] != "running") GTEST_SKIP() << "it got no CPU at the look";
  EXPECT_TRUE(owner["call"].is_null()) << owner["call"];
  EXPECT_NE(owner["stack"].dump().find("compute_under_lock"), std::string::npos) << owner["stack"];
}

TEST_F(LockOwnersTest, StarvedOwner_RunQueueWait) {
  const Json stall = only_stall("run-queue-wait");
  ASSERT_FALSE(stall["owners"].empty());
  EXPECT_EQ(stall["owners"][0]["thread"], "idler");
  EXPECT_EQ(stall["owners"][0]["state"], "runnable") << stall["owners"];
  EXPECT_TRUE(advises(stall, "gets no CPU")) << stall["advice"];
}

TEST_F(LockOwnersTest, ExitedOwner_Lost) {
  const Json stall = only_stall("lost");
  ASSERT_EQ(stall["owners"].size(), 1u);
  EXPECT_EQ(stall["owners"][0]["state"], "ended");
  EXPECT_TRUE(text_has("a lost owner: thread ")) << text_;
  EXPECT_TRUE(text_has(", which has ended")) << text_;
}

TEST_F(LockOwnersTest, OwnerInOtherProcess_StackRead) {
  const Json stall = only_stall("other-process");
  ASSERT_EQ(stall["owners"].size(), 1u) << summary(stall);
  const Json& owner = stall["owners"][0];
  EXPECT_NE(owner["pid"], stall["pid"]);
  EXPECT_EQ(owner["call"]["function"], "usleep");
  EXPECT_EQ(stall["lock"]["type"], "robust");
}

TEST_F(LockOwnersTest, FileLock_ProcessNamed) {
  for (const char* const what : {"flock", "fcntl"}) {
    const Json stall = only_stall(what);
    EXPECT_EQ(stall["lock"]["kind"], "file");
    EXPECT_TRUE(stall["lock"]["name"].get<std::string>().ends_with("/data.lock")) << stall["lock"];
    ASSERT_EQ(stall["owners"].size(), 1u) << summary(stall);
    EXPECT_NE(stall["owners"][0]["pid"], stall["pid"]);
    EXPECT_EQ(stall["owners"][0]["call"]["function"], "usleep");
  }
}

}  // namespace
}  // namespace tailback::test
