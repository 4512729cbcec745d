// Event loops of every native kind, healthy and held up; and programs that wait and are none.

#include <algorithm>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

constexpr size_t kStalls = 3;

struct Loop {
  const char* program;
  const char* kind;
  const char* wait;  // as the recording names it
};

void PrintTo(const Loop& loop, std::ostream* stream) {
  *stream << loop.program << " \"" << loop.kind << '"';
}

std::string name_of(const std::string& kind) {
  std::string name = kind;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

Expectation expectation(const std::string& file, const std::string& on) {
  const auto all = read_expectations(source_file("tests/integration/targets/loops/" + file));
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Expectation& one) { return one.on == on; });
  if (found == all.end()) throw std::runtime_error(file + " expects nothing of " + on);
  return *found;
}

class NativeLoops : public IntegrationTest {
 protected:
  // Skips the test if the program needs what the machine has not, and says so.
  void check_rings(const std::string& program) {
    if (!program.ends_with("ring_loops")) return;
    if (!std::filesystem::exists(built_program(program))) {
      GTEST_SKIP() << "liburing was absent when this was built";
    }
    Process permitted = run_helper("permitted", {built_program(program), "permitted"});
    if (permitted.wait(std::chrono::seconds(10)) != exited(0)) {
      GTEST_SKIP() << "io_uring is not permitted on this machine";
    }
  }

  // Skips the test if the kind depends on the sets of a select and they are not read.
  static void check_selected(const std::string& kind) {
    if (kind.starts_with("select at") || kind.starts_with("select of")) {
      if (system_calls_are_filtered()) GTEST_SKIP() << "a filter of system calls is in force";
    }
  }

  WatchedProgram& start(const std::string& program, const std::string& kind, size_t stalls,
                        int warm_up = 70) {
    WatchOptions options;
    options.command = {built_program(program), kind, std::to_string(stalls),
                       std::to_string(warm_up)};
    options.threshold = "50ms";
    return watch(options);
  }

  // Each block that the program told of is a stall at this wait.
  void expect_blocks(WatchedProgram& program, const std::string& wait, Recording& recording) {
    recording = finished(program);
    ASSERT_TRUE(has_stalls(recording, kStalls));
    const std::vector<Block> blocks = announced_blocks(program);
    ASSERT_EQ(blocks.size(), kStalls);
    for (size_t i = 0; i < kStalls; ++i) {
      const Json stall = recording.final_stalls()[i];
      SCOPED_TRACE(summary(stall));
      EXPECT_EQ(stall["loop"]["wait"], wait);
      EXPECT_GE(stall["duration_ms"].get<double>(), blocks[i].length_ms - 1);
      EXPECT_LT(stall["duration_ms"].get<double>(), blocks[i].length_ms + 100);
    }
  }
};

class NativeLoop : public NativeLoops, public ::testing::WithParamInterface<Loop> {};

TEST_P(NativeLoop, Healthy_Silent) {
  check_rings(GetParam().program);
  check_selected(GetParam().kind);
  if (IsSkipped()) return;
  EXPECT_TRUE(has_stalls(finished(start(GetParam().program, GetParam().kind, 0)), 0));
}

TEST_P(NativeLoop, Blocked_EachStallReported) {
  check_rings(GetParam().program);
  check_selected(GetParam().kind);
  if (IsSkipped()) return;
  WatchedProgram& program = start(GetParam().program, GetParam().kind, kStalls);
  Recording recording;
  expect_blocks(program, GetParam().wait, recording);
  for (const Json& stall : recording.final_stalls()) {
    EXPECT_TRUE(matches(expectation("iterations.cc", "any"), stall)) << summary(stall);
  }
}

constexpr Loop kLoops[] = {
    {"native_loops", "epoll level", "epoll_wait"},
    {"native_loops", "epoll edge", "epoll_wait"},
    {"native_loops", "epoll oneshot", "epoll_wait"},
    {"native_loops", "epoll_pwait", "epoll_pwait"},
    {"native_loops", "epoll_pwait2", "epoll_pwait2"},
    {"native_loops", "epoll busy", "epoll_wait"},
    {"native_loops", "epoll_wait by number", "epoll_wait"},
    {"native_loops", "epoll_pwait by number", "epoll_pwait"},
    {"native_loops", "epoll_pwait2 by number", "epoll_pwait2"},
    {"native_loops", "several epolls", "epoll_wait"},
    {"native_loops", "nested epolls", "epoll_wait"},
    {"native_loops", "poll", "poll"},
    {"native_loops", "poll busy", "poll"},
    {"native_loops", "ppoll", "ppoll"},
    {"native_loops", "select", "select"},
    {"native_loops", "pselect", "pselect"},
    {"native_loops", "poll by number", "poll"},
    {"native_loops", "ppoll by number", "ppoll"},
    {"native_loops", "select by number", "select"},
    {"native_loops", "pselect by number", "pselect"},
    {"native_loops", "sigtimedwait", "sigtimedwait"},
    {"native_loops", "sigwaitinfo", "sigwaitinfo"},
    {"native_loops", "sigwait", "sigwait"},
    {"native_loops", "eventfd", "read"},
    {"native_loops", "eventfd_read", "eventfd_read"},
    {"native_loops", "timerfd", "read"},
    {"native_loops", "signalfd", "read"},
    {"native_loops", "inotify", "read"},
    {"native_loops", "loop per thread", "epoll_wait"},
    {"native_loops", "late loop", "epoll_wait"},
    {"native_loops", "loops ended and begun", "epoll_wait"},
    {"native_loops", "poll of the epoll", "epoll_wait"},
    {"native_loops", "select of the epoll", "epoll_wait"},
    {"native_loops", "leader and followers", "epoll_wait"},
    {"ring_loops", "ring", "io_uring_submit_and_wait"},
    {"ring_loops", "ring wait_cqe", "__io_uring_get_cqe"},
    {"ring_loops", "ring wait_cqe_timeout", "io_uring_wait_cqes"},
    {"ring_loops", "ring submit_and_wait_timeout", "io_uring_submit_and_wait_timeout"},
    {"ring_loops", "ring raw", "io_uring_enter"},
    {"ring_loops", "rings ended and begun", "io_uring_submit_and_wait"},
};

INSTANTIATE_TEST_SUITE_P(Kinds, NativeLoop, ::testing::ValuesIn(kLoops),
                         [](const auto& loop) { return name_of(loop.param.kind); });

TEST_F(NativeLoops, LoopInCallback_StallOfOuterLoop) {
  EXPECT_TRUE(has_stalls(finished(start("native_loops", "loop within a callback", 0)), 0));
  Recording recording;
  expect_blocks(start("native_loops", "loop within a callback", kStalls), "epoll_wait", recording);
  for (const Json& stall : recording.final_stalls()) {
    EXPECT_TRUE(stack_has_function(stall, "run_a_loop_inside")) << summary(stall);
  }
}

TEST_F(NativeLoops, PollBesideEpoll_IsCall) {
  EXPECT_TRUE(has_stalls(finished(start("native_loops", "one-descriptor poll", 0)), 0));
  Recording recording;
  expect_blocks(start("native_loops", "one-descriptor poll", kStalls), "epoll_wait", recording);
  for (const Json& stall : recording.final_stalls()) {
    EXPECT_TRUE(matches(expectation("several_loops.cc", "one-descriptor poll"), stall));
  }
}

TEST_F(NativeLoops, PollBesideIdleEpoll_Silent) {
  EXPECT_TRUE(has_stalls(finished(start("native_loops", "poll beside epoll", 0)), 0));
}

// A callback waits for another descriptor at the loop's own call site, deeper on the stack.
TEST_F(NativeLoops, WaitInCallbackAtLoopsCallSite_StallOfLoop) {
  for (const std::string wait : {"poll", "select"}) {
    SCOPED_TRACE(wait);
    const std::string kind = wait + " at one call site";
    check_selected(kind);
    if (IsSkipped()) return;
    EXPECT_TRUE(has_stalls(finished(start("native_loops", kind, 0)), 0));
    Recording recording;
    expect_blocks(start("native_loops", kind, kStalls), wait, recording);
    for (const Json& stall : recording.final_stalls()) {
      EXPECT_TRUE(matches(expectation("shared_call_sites.cc", kind), stall)) << summary(stall);
      EXPECT_TRUE(stack_has_function(stall, "wait_for_answer")) << summary(stall);
    }
  }
}

TEST_F(NativeLoops, NestedRunOfLoop_Silent) {
  for (const std::string kind : {"nested run of a poll loop", "nested run of a select loop"}) {
    SCOPED_TRACE(kind);
    EXPECT_TRUE(has_stalls(finished(start("native_loops", kind, 0)), 0));
  }
}

// The first of the waits for work may be over before it is known what they are. So the summary may
// have it, and is not checked.
TEST_F(NativeLoops, EpollAskedBetweenJobs_Silent) {
  EXPECT_TRUE(has_stalls(finished(start("no_loops", "epoll asked between jobs", 0)), 0));
}

// Loops that only the user can name: how they wait, most threads wait that are none.
class NamedLoops : public NativeLoops, public ::testing::WithParamInterface<Loop> {
 protected:
  WatchedProgram& start_named(size_t stalls, const char* glob) {
    WatchOptions options;
    options.command = {built_program("native_loops"), GetParam().kind, std::to_string(stalls)};
    options.threshold = "50ms";
    if (glob) options.environment.emplace_back("TAILBACK_LOOP", glob);
    return watch(options);
  }
};

TEST_P(NamedLoops, Healthy_Silent) {
  EXPECT_TRUE(has_stalls(finished(start_named(0, "native_loops")), 0));
}

TEST_P(NamedLoops, Blocked_EachStallReported) {
  Recording recording;
  expect_blocks(start_named(kStalls, "native_loops"), GetParam().wait, recording);
  EXPECT_TRUE(recording.end()["unused_options"].empty());
}

TEST_P(NamedLoops, NotNamed_Silent) {
  EXPECT_TRUE(has_stalls(finished(start_named(kStalls, nullptr)), 0));
}

INSTANTIATE_TEST_SUITE_P(Kinds, NamedLoops,
                         ::testing::Values(Loop{"native_loops", "condition", "pthread_cond_wait"},
                                           Loop{"native_loops", "timed condition",
                                                "pthread_cond_timedwait"},
                                           Loop{"native_loops", "semaphore", "sem_wait"},
                                           Loop{"native_loops", "futex", "syscall"},
                                           Loop{"native_loops", "sleeps", "usleep"},
                                           Loop{"native_loops", "select of nothing", "select"}),
                         [](const auto& loop) { return name_of(loop.param.kind); });

TEST_F(NativeLoops, NamedThreadWithoutIterations_SaidAtEnd) {
  WatchOptions options;
  options.command = {built_program("no_loops"), "slow start", "0"};
  options.environment.emplace_back("TAILBACK_LOOP", "absent");
  WatchedProgram& program = watch(options);
  const Recording recording = finished(program);
  EXPECT_EQ(recording.end()["unused_options"], Json::array({"--loop absent"}));
}

// Waits that are system calls in the program's own code. Such a loop is found only after a while,
// and its stalls are seen from outside.
constexpr int kLongWarmUp = 1200;

class UnhookedLoops : public NativeLoops, public ::testing::WithParamInterface<Loop> {};

TEST_P(UnhookedLoops, Healthy_Silent) {
  check_rings(GetParam().program);
  if (IsSkipped()) return;
  WatchedProgram& program = start(GetParam().program, GetParam().kind, 0, kLongWarmUp);
  EXPECT_TRUE(has_stalls(finished(program), 0));
}

TEST_P(UnhookedLoops, Blocked_EachStallWithAccuracy) {
  check_rings(GetParam().program);
  if (IsSkipped()) return;
  WatchedProgram& program = start(GetParam().program, GetParam().kind, kStalls, kLongWarmUp);
  const Recording recording = finished(program);
  ASSERT_TRUE(has_stalls(recording, kStalls));
  const std::vector<Block> blocks = announced_blocks(program);
  ASSERT_EQ(blocks.size(), kStalls);
  for (size_t i = 0; i < kStalls; ++i) {
    const Json stall = recording.final_stalls()[i];
    SCOPED_TRACE(summary(stall));
    EXPECT_TRUE(matches(expectation("iterations.cc", "any"), stall));
    EXPECT_EQ(stall["loop"]["wait"], GetParam().wait);
    // What was not seen of it is said.
    const std::string notes = stall["limits"].dump();
    const std::string before = "may be up to ";
    const size_t at = notes.find(before);
    ASSERT_NE(at, std::string::npos) << notes;
    const double slack = std::stod(notes.substr(at + before.size()));
    EXPECT_LE(stall["duration_ms"].get<double>(), blocks[i].length_ms + 1);
    EXPECT_GE(stall["duration_ms"].get<double>() + slack, blocks[i].length_ms);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, UnhookedLoops,
                         ::testing::Values(Loop{"static_ring_loops", "ring", "io_uring_enter"},
                                           Loop{"static_ring_loops", "ring wait_cqe",
                                                "io_uring_enter"},
                                           Loop{"native_loops", "epoll inline", "epoll_wait"},
                                           Loop{"native_loops", "poll inline", "poll"}),
                         [](const auto& loop) { return name_of(loop.param.kind); });

TEST_F(NativeLoops, UnhookedLoopInDoubt_Silent) {
  for (const char* kind :
       {"epoll inline busy", "epoll inline that ends", "polling worker inline"}) {
    SCOPED_TRACE(kind);
    EXPECT_TRUE(has_stalls(finished(start("native_loops", kind, 0, kLongWarmUp)), 0));
  }
}

class NoLoop : public NativeLoops, public ::testing::WithParamInterface<const char*> {};

TEST_P(NoLoop, ProgramWithoutLoop_Silent) {
  const Recording recording = finished(start("no_loops", GetParam(), 0));
  EXPECT_TRUE(has_stalls(recording, 0));
  // The summary says the same.
  for (const Json& loop : recording.end()["loops"]) {
    EXPECT_LE(loop["longest_ms"].get<double>(), 100) << loop;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, NoLoop,
                         ::testing::Values("condition variable pool", "semaphore pool",
                                           "shared eventfd pool", "semaphore eventfd worker",
                                           "eventfd worker", "pipe pool", "polling pool",
                                           "connection threads", "forking server", "signal thread",
                                           "polling senders", "single polls", "slow start",
                                           "forking workers", "slow shutdown"),
                         [](const auto& kind) { return name_of(kind.param); });

}  // namespace
}  // namespace tailback::test
