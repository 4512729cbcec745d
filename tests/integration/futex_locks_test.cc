// Locks that are made of futexes and not of pthread's functions: Rust's, parking_lot's, Abseil's,
// GLib's, Qt's, and futures. First healthy programs, which have nothing to report; then loops that
// wait for such a lock, and threads that wait for each other for good.
#include <signal.h>

#include <fstream>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

using std::chrono::seconds;

struct Library {
  const char* program;
  const char* source;  // below targets/futex_locks
  const char* packages;
  const char* wait;  // the loop's
};
constexpr Library kRust = {"rust_locks", "rust_locks/src/main.rs",
                           "librust-parking-lot-dev, cargo and rustc", "epoll_wait"};
constexpr Library kAbseil = {"abseil_locks", "abseil_locks.cc", "libabsl-dev", "epoll_wait"};
constexpr Library kFutures = {"futures", "futures.cc", "", "epoll_wait"};
constexpr Library kGLib = {"glib_locks", "glib_locks.cc", "libglib2.0-dev", "poll"};
constexpr Library kQt = {"qt_locks", "qt_locks.cc", "qtbase5-dev", "poll"};

#define TAILBACK_NEEDS_LIBRARY(library)                                                   \
  if (!std::filesystem::exists(built_program((library).program))) {                       \
    GTEST_SKIP() << (library).program << " was not built: install " << (library).packages \
                 << ", and configure again";                                              \
  }

class FutexLocksTest : public IntegrationTest {
 protected:
  WatchedProgram& start(const Library& library, const std::string& what, bool watches_locks) {
    WatchOptions options;
    options.command = {built_program(library.program), what};
    if (watches_locks) {
      options.environment = {{"TAILBACK_LOCKS", "1"}, {"TAILBACK_LOCK_ORDER", "1"}};
    }
    return watch(options);
  }

  // Neither stalls nor deadlocks nor orders of locks; and the loop was seen to turn.
  void expect_silence(const Library& library, const std::string& what, bool watches_locks) {
    const Recording recording = finished(start(library, what, watches_locks));
    EXPECT_TRUE(has_no_stall_of_its_own(recording));
    EXPECT_TRUE(recording.of_type("lock-order").empty()) << recording.of_type("lock-order")[0];
    EXPECT_TRUE(recording.deadlocks().empty());
    const Json& loops = recording.end()["loops"];
    EXPECT_TRUE(std::any_of(loops.begin(), loops.end(), [&](const Json& loop) {
      return loop["loop"]["wait"] == library.wait && loop["iterations"] >= 150;
    })) << loops;
  }
};

// The line of a target's source that holds this text.
int line_of(const Library& library, const std::string& text) {
  std::ifstream file(
      source_file("tests/integration/targets/futex_locks/" + std::string(library.source)));
  int number = 1;
  for (std::string line; std::getline(file, line); ++number) {
    if (line.ends_with(" // " + text)) return number;
  }
  return 0;
}

// Whether the frame to blame is the target's own, where it waits.
::testing::AssertionResult blames(const Json& stall, const Library& library,
                                  const std::string& function, const std::string& mark) {
  const int line = line_of(library, mark);
  const Json& culprit = stall["culprit"];
  const std::string file = std::filesystem::path(library.source).filename();
  if (line > 0 && culprit.is_number()) {
    const Json& frame = stall["stack"][culprit.get<size_t>()];
    if (function_is(frame, function) && frame["line"] == line && frame["file"].is_string() &&
        frame["file"].get<std::string>().ends_with(file)) {
      return ::testing::AssertionSuccess();
    }
  }
  return ::testing::AssertionFailure()
         << "not " << function << " at " << file << ":" << line << "\n"
         << culprit << stall["stack"].dump(1);
}

bool notes_have(const Json& stall, const std::string& words) {
  return stall["limits"].dump().find(words) != std::string::npos;
}

class HealthyFutexLocks : public FutexLocksTest, public ::testing::WithParamInterface<Library> {};

TEST_P(HealthyFutexLocks, Healthy_Silent) {
  TAILBACK_NEEDS_LIBRARY(GetParam());
  expect_silence(GetParam(), "healthy", true);
}

INSTANTIATE_TEST_SUITE_P(Locks, HealthyFutexLocks,
                         ::testing::Values(kRust, kAbseil, kFutures, kGLib, kQt),
                         [](const auto& test) { return std::string(test.param.program); });

// Of whose locks nothing is known, nothing is said: neither that they are in order, nor that they
// are not.
TEST_F(FutexLocksTest, UnknownLockOrder_Silent) {
  TAILBACK_NEEDS_LIBRARY(kQt);
  expect_silence(kQt, "two-orders", true);
}

TEST_F(FutexLocksTest, GlibMutexOrder_Silent) {
  TAILBACK_NEEDS_LIBRARY(kGLib);
  expect_silence(kGLib, "two-orders", true);
}

enum class Word { kOfLock, kOfThread };

struct Wait {
  Library library;
  const char* what;
  const char* cause;
  const char* function;
  const char* object;  // the lock's name, or the beginning of it
  Word word = Word::kOfLock;
};
void PrintTo(const Wait& wait, std::ostream* stream) {
  *stream << wait.library.program << " " << wait.what;
}

class FutexWaits : public FutexLocksTest, public ::testing::WithParamInterface<Wait> {};

TEST_P(FutexWaits, BlockedByFutex_NamedOnceWithProgramFunction) {
  const Wait& wait = GetParam();
  TAILBACK_NEEDS_LIBRARY(wait.library);
  WatchedProgram& program = start(wait.library, wait.what, false);
  const Recording recording = finished(program);
  const std::vector<Block> blocks = announced_blocks(program);
  ASSERT_EQ(blocks.size(), 1u);
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["cause"], wait.cause) << summary(stall);
  EXPECT_TRUE(blames(stall, wait.library, wait.function, wait.what));
  EXPECT_EQ(stall["loop"]["wait"], wait.library.wait);
  EXPECT_GE(stall["duration_ms"].get<double>(), blocks[0].length_ms - 1);
  EXPECT_LE(stall["duration_ms"].get<double>(), blocks[0].length_ms + 300);
  EXPECT_EQ(stall["call"]["function"], "futex") << summary(stall);
  EXPECT_EQ(stall["lock"]["kind"], "futex");
  const std::string object = stall["call"]["object"];
  EXPECT_TRUE(object.starts_with(wait.object)) << object;
  EXPECT_EQ(stall["lock"]["name"], object);
  EXPECT_EQ(object.ends_with(" [a word of the thread that waits]"), wait.word == Word::kOfThread)
      << object;
  EXPECT_TRUE(stall["owners"].empty()) << stall["owners"];
  const bool is_lock = wait.cause == std::string("lock");
  EXPECT_EQ(notes_have(stall, "is not known"), is_lock) << stall["limits"];
  EXPECT_EQ(notes_have(stall, "the lock is elsewhere"), is_lock && wait.word == Word::kOfThread);
  EXPECT_TRUE(
      advises(stall, is_lock ? "hold the lock for less time" : "in place of waiting for it"))
      << stall["advice"];
  EXPECT_TRUE(recording.deadlocks().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Locks, FutexWaits,
    ::testing::Values(
        Wait{kRust, "mutex", "lock", "wait_for_mutex", "rust_locks::CACHE"},
        Wait{kRust, "rwlock", "lock", "wait_to_write", "rust_locks::TABLE"},
        Wait{kRust, "readers", "lock", "wait_to_read", "rust_locks::TABLE"},
        Wait{kRust, "condvar", "wait", "wait_for_news", "rust_locks::NEWS"},
        Wait{kRust, "parking-lot-mutex", "lock", "wait_for_parking_lot", "0x", Word::kOfThread},
        Wait{kRust, "parking-lot-rwlock", "lock", "wait_to_write_parking_lot", "0x",
             Word::kOfThread},
        Wait{kAbseil, "mutex", "lock", "wait_for_mutex", "0x", Word::kOfThread},
        Wait{kAbseil, "readers", "lock", "wait_to_read", "0x", Word::kOfThread},
        Wait{kAbseil, "condition", "wait", "wait_for_news", "0x", Word::kOfThread},
        Wait{kFutures, "promise", "wait", "wait_for_promise", "0x"},
        Wait{kGLib, "mutex", "lock", "wait_for_mutex", "(anonymous namespace)::cache_lock"},
        Wait{kQt, "mutex", "lock", "wait_for_mutex", "(anonymous namespace)::cache_lock"},
        Wait{kQt, "semaphore", "wait", "wait_for_slot", "(anonymous namespace)::slots_left"}),
    [](const auto& test) {
      std::string name = std::string(test.param.library.program) + "_" + test.param.what;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

TEST_F(FutexLocksTest, OwnerWaitsForFutexLock_ChainReported) {
  TAILBACK_NEEDS_LIBRARY(kAbseil);
  WatchedProgram& program = start(kAbseil, "chain", false);
  const Recording recording = finished(program);
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["cause"], "lock") << summary(stall);
  EXPECT_EQ(stall["lock"]["kind"], "mutex");
  ASSERT_EQ(stall["owners"].size(), 1u) << stall["owners"];
  const Json& owner = stall["owners"][0];
  EXPECT_EQ(owner["thread"], "flusher");
  EXPECT_EQ(owner["call"]["function"], "futex");
  EXPECT_TRUE(
      owner["call"]["object"].get<std::string>().ends_with(" [a word of the thread that waits]"))
      << owner["call"];
  EXPECT_TRUE(blames(owner, kAbseil, "wait_for_mutex", "mutex"));
  EXPECT_TRUE(advises(stall, "move the wait out of the critical section of ")) << stall["advice"];
}

// They are blocking calls of the same cause.
TEST_F(FutexLocksTest, ShortWait_BlockingCall) {
  TAILBACK_NEEDS_LIBRARY(kRust);
  WatchOptions options;
  options.command = {built_program(kRust.program), "mutex"};
  options.threshold = "5s";
  options.environment = {{"TAILBACK_BLOCKING_CALLS", "1"}, {"TAILBACK_SLOW_CALL", "100ms"}};
  const Recording recording = finished(watch(options));
  EXPECT_TRUE(has_stalls(recording, 0));
  const std::vector<Json> blocking_calls = recording.of_type("blocking-call");
  const auto own =
      std::find_if(blocking_calls.begin(), blocking_calls.end(), [](const Json& blocking_call) {
        return blames(blocking_call, kRust, "wait_for_mutex", "mutex");
      });
  ASSERT_NE(own, blocking_calls.end()) << Json(blocking_calls).dump(1);
  EXPECT_EQ((*own)["cause"], "lock") << own->dump(1);
  EXPECT_TRUE(advises(*own, "hold the lock for less time")) << (*own)["advice"];
}

// A crate's files are told by the folder that it was compiled in.
TEST_F(FutexLocksTest, CrateFrames_MarkedAsLibrary) {
  TAILBACK_NEEDS_LIBRARY(kRust);
  const Recording recording = finished(start(kRust, "parking-lot-mutex", false));
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  bool seen = false;
  for (const Json& frame : stall["stack"]) {
    if (!function_is(frame, "lock_slow")) continue;
    seen = true;
    const std::string file = frame["file"];
    EXPECT_NE(file.find("/registry/parking_lot-"), std::string::npos) << file;
  }
  EXPECT_TRUE(seen) << summary(stall);
}

// std::async's task runs in a thread that its future joins.
TEST_F(FutexLocksTest, RustTaskOwner_Named) {
  WatchedProgram& program = start(kFutures, "async", false);
  const Recording recording = finished(program);
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["cause"], "wait") << summary(stall);
  EXPECT_TRUE(blames(stall, kFutures, "wait_for_task", "async"));
  ASSERT_EQ(announced_blocks(program).size(), 1u);
  EXPECT_GE(stall["duration_ms"].get<double>(), announced_blocks(program)[0].length_ms - 1);
  EXPECT_EQ(stall["lock"]["kind"], "thread");
  ASSERT_EQ(stall["owners"].size(), 1u);
  EXPECT_EQ(stall["owners"][0]["call"]["function"], "usleep");
  EXPECT_TRUE(function_is(stall["owners"][0]["stack"][0], "load")) << stall["owners"][0];
  // A thread is not held by itself.
  EXPECT_EQ(program.text_report().find("held by thread"), std::string::npos)
      << program.text_report();
}

// Locks of the same libraries that are made of pthread's: who has them is known.
TEST_F(FutexLocksTest, GlibReadWriteLock_OwnerNamed) {
  TAILBACK_NEEDS_LIBRARY(kGLib);
  const Recording recording = finished(start(kGLib, "rwlock", false));
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["cause"], "lock") << summary(stall);
  EXPECT_TRUE(blames(stall, kGLib, "wait_to_write", "rwlock"));
  EXPECT_EQ(stall["lock"]["kind"], "rwlock");
  ASSERT_EQ(stall["owners"].size(), 1u);
  EXPECT_EQ(stall["owners"][0]["thread"], "keeper");
  EXPECT_EQ(stall["owners"][0]["call"]["function"], "usleep");
}

// Qt's is made of a condition.
TEST_F(FutexLocksTest, QtReadWriteLock_CauseLock) {
  TAILBACK_NEEDS_LIBRARY(kQt);
  const Recording recording = finished(start(kQt, "rwlock", false));
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_EQ(stall["cause"], "lock") << summary(stall);
  EXPECT_TRUE(blames(stall, kQt, "wait_to_write", "rwlock"));
  EXPECT_EQ(stall["call"]["function"], "pthread_cond_wait");
  EXPECT_TRUE(stall["owners"].empty()) << stall["owners"];
}

class FutexDeadlocks : public FutexLocksTest, public ::testing::WithParamInterface<Library> {};

// Such locks don't say who has them, so that a deadlock can't be proven: none is claimed. The loop
// that hangs in it is a stall that goes on.
TEST_P(FutexDeadlocks, FutexDeadlock_OngoingStall) {
  TAILBACK_NEEDS_LIBRARY(GetParam());
  WatchedProgram& program = start(GetParam(), "deadlock", true);
  ASSERT_TRUE(eventually(seconds(20), [&] {
    return !program.recording().stalls("ongoing").empty();
  })) << program.text_report();
  // Longer than it takes to find a deadlock.
  std::this_thread::sleep_for(seconds(2));
  EXPECT_TRUE(program.process().running());
  const Json ongoing = program.recording().stalls("ongoing")[0];
  program.process().signal(SIGKILL);
  EXPECT_EQ(ongoing["cause"], "lock") << summary(ongoing);
  EXPECT_TRUE(blames(ongoing, GetParam(), "wait_for_log", "deadlock"));
  EXPECT_TRUE(ongoing["owners"].empty()) << ongoing["owners"];
  EXPECT_TRUE(notes_have(ongoing, "is not known")) << ongoing["limits"];
  const Recording recording = program.recording();
  EXPECT_TRUE(recording.deadlocks().empty()) << recording.deadlocks()[0];
  EXPECT_TRUE(recording.of_type("lock-order").empty());
  for (const std::string& fault : recording.faults()) ADD_FAILURE() << fault;
}

INSTANTIATE_TEST_SUITE_P(Locks, FutexDeadlocks, ::testing::Values(kRust, kAbseil, kGLib, kQt),
                         [](const auto& test) { return std::string(test.param.program); });

}  // namespace
}  // namespace tailback::test
