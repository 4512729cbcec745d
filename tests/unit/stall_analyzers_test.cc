// Long iterations and blocking calls, over stacks that the test gives.
#include <gtest/gtest.h>

#include "runtime/analysis/blocking_call_analyzer.h"
#include "runtime/analysis/stall_analyzer.h"
#include "tests/unit/fake_stacks.h"
#include "tests/unit/recording_reporter.h"

namespace tailback {
namespace {

using intercept::Function;
using std::chrono::milliseconds;

constexpr uint64_t kHandler = 0x401;
constexpr uint64_t kOther = 0x402;
constexpr uint64_t kOwner = 0x403;
constexpr uint64_t kMutex = 0x9000;

class StallAnalyzersTest : public ::testing::Test {
 protected:
  StallAnalyzersTest() {
    stacks.frames[kHandler] = stack_of({"handler", "dispatch", "main"});
    stacks.frames[kOther] = stack_of({"other", "dispatch", "main"});
    stacks.frames[kOwner] = stack_of({"refresh", "worker"});
    stacks.variables[kMutex] = "cache_mutex";
  }

  static StallSeen iteration(uint64_t id = 1, StallState state = StallState::kEnded) {
    StallSeen seen;
    seen.id = id;
    seen.state = state;
    seen.pid = 100;
    seen.tid = 100;
    seen.process = "server";
    seen.loop = {"epoll_wait", 5};
    seen.duration = milliseconds(100);
    seen.threshold = milliseconds(50);
    seen.modules = std::make_shared<const ModuleMap>();
    return seen;
  }

  // A sample in a recorded call of a cause, for some of the iteration.
  static Sample blocked(uint64_t stack, Function function, Cause cause) {
    Sample sample;
    sample.source = Sample::Source::kRecord;
    sample.state = 'S';
    sample.recorded.function = function;
    sample.recorded.call_site = stack;
    sample.call.emplace();
    sample.call->call.function = intercept::kFunctions[static_cast<uint32_t>(function)].name;
    sample.call->cause = cause;
    sample.snapshot = snapshot_at(stack);
    return sample;
  }
  static Sample computing(uint64_t stack) {
    Sample sample;
    sample.source = Sample::Source::kHold;
    sample.state = 'R';
    sample.held = true;
    sample.snapshot = snapshot_at(stack);
    return sample;
  }
  static void add(StallSeen& seen, Sample sample, int weight) {
    seen.samples.push_back(
        {std::make_shared<const Sample>(std::move(sample)), milliseconds(weight), {}});
  }
  static void add_calls(StallSeen& seen, Function function, uint64_t call_site, uint64_t count,
                        int total, int longest) {
    seen.contributors.push_back(
        {function, call_site, count, milliseconds(total), milliseconds(longest)});
  }
  Stall only_stall() {
    EXPECT_EQ(reporter.all<Stall>().size(), 1u);
    return reporter.all<Stall>().at(0);
  }

  FakeReader fake;
  FakeStacks& stacks = *fake.stacks;
  RecordingReporter reporter;
  Verdicts verdicts;
  LockNames names{fake.reader};
  OwnerReader owners{fake.reader, names};
  Blame blame{fake.reader, names, owners};
  Callbacks callbacks{fake.reader};
  LoopEndJudge loop_ends{fake.reader, verdicts, reporter, callbacks, std::make_unique<LoopEnds>()};
  IdleWaitJudge idle_waits{fake.reader, verdicts};
  StallAnalyzer analyzer{fake.reader, blame, loop_ends, idle_waits, callbacks, reporter};
  BlockingCallAnalyzer blocking_calls{fake.reader, idle_waits, blame, reporter};
};

TEST_F(StallAnalyzersTest, BlockedInACall_HasItsCauseAndCaller) {
  StallSeen seen = iteration();
  add(seen, blocked(kHandler, Function::nanosleep, Cause::kSleep), 90);
  add_calls(seen, Function::nanosleep, kHandler, 1, 95, 95);
  analyzer.analyze(seen);
  const Stall stall = only_stall();
  EXPECT_EQ(stall.cause, Cause::kSleep);
  EXPECT_EQ(stall.stack.at(stall.culprit).function, "handler");
  ASSERT_TRUE(stall.call);
  EXPECT_EQ(stall.call->function, "nanosleep");
  ASSERT_EQ(stall.contributors.size(), 1u);
  EXPECT_EQ(stall.contributors[0].caller.function, "handler");
  EXPECT_EQ(stall.spent.in_calls, milliseconds(95));
  EXPECT_FALSE(stall.advice.empty());
  EXPECT_FALSE(stall.fingerprint.empty());
  EXPECT_EQ(analyzer.stalls(), 1u);
  EXPECT_EQ(analyzer.stalled(), milliseconds(100));
}

TEST_F(StallAnalyzersTest, ObjectOfASample_DecidesTheCauseOfTheSums) {
  StallSeen seen = iteration();
  add(seen, blocked(kHandler, Function::read, Cause::kIpc), 10);
  add_calls(seen, Function::read, kHandler, 1, 95, 95);
  analyzer.analyze(seen);
  EXPECT_EQ(only_stall().cause, Cause::kIpc);
}

TEST_F(StallAnalyzersTest, Computing_BlamesTheStackSeenLongest) {
  StallSeen seen = iteration();
  seen.spent.known = true;
  seen.spent.on_cpu = milliseconds(95);
  add(seen, computing(kOther), 20);
  add(seen, computing(kHandler), 40);
  add(seen, computing(kHandler), 30);
  analyzer.analyze(seen);
  const Stall stall = only_stall();
  EXPECT_EQ(stall.cause, Cause::kCpu);
  EXPECT_EQ(stall.stack.at(0).function, "handler");
  EXPECT_EQ(stall.samples, 3u);
  ASSERT_EQ(stall.stacks.size(), 2u);
  EXPECT_EQ(stall.stacks[0].samples, 2u);
  EXPECT_EQ(stall.stacks[0].weight, milliseconds(70));
  EXPECT_EQ(stall.stacks[1].stack.at(0).function, "other");
  EXPECT_FALSE(stall.call);
}

TEST_F(StallAnalyzersTest, NoStack_ShowsTheCallerOfTheLongestCall) {
  StallSeen seen = iteration();
  add_calls(seen, Function::nanosleep, kHandler, 1, 95, 95);
  analyzer.analyze(seen);
  const Stall stall = only_stall();
  EXPECT_FALSE(stall.stack_complete);
  EXPECT_EQ(stall.stack.at(0).function, "handler");
  ASSERT_TRUE(stall.call);
  EXPECT_EQ(stall.call->function, "nanosleep");
}

TEST_F(StallAnalyzersTest, Lock_HasNameAndOwnersStack) {
  Sample sample = blocked(kHandler, Function::pthread_mutex_lock, Cause::kLock);
  sample.call->lock = RemoteAddress(kMutex);
  sample.call->reading.emplace();
  sample.call->reading->address = RemoteAddress(kMutex);
  OwnerSample owner;
  owner.pid = 100;
  owner.tid = 101;
  owner.thread = "refresher";
  owner.state = OwnerState::kRunning;
  owner.lock = *sample.call->reading;
  owner.sample = std::make_shared<const Sample>(computing(kOwner));
  sample.owners.push_back(owner);
  StallSeen seen = iteration();
  add(seen, sample, 95);
  add_calls(seen, Function::pthread_mutex_lock, kHandler, 1, 95, 95);
  analyzer.analyze(seen);
  const Stall stall = only_stall();
  EXPECT_EQ(stall.cause, Cause::kLock);
  ASSERT_TRUE(stall.lock);
  EXPECT_EQ(stall.lock->name, "cache_mutex");
  ASSERT_EQ(stall.owners.size(), 1u);
  EXPECT_EQ(stall.owners[0].tid, 101);
  EXPECT_EQ(stall.owners[0].stack.at(0).function, "refresh");
  EXPECT_NE(stall.call->object.find("held by thread refresher (101)"), std::string::npos);
}

TEST_F(StallAnalyzersTest, FutexOfARuntimesLock_IsALock) {
  stacks.frames[kHandler] = stack_of({"parking_lot::raw_mutex::RawMutex::lock_slow", "handler"});
  StallSeen seen = iteration();
  add(seen, blocked(kHandler, Function::syscall, Cause::kWait), 95);
  add_calls(seen, Function::syscall, kHandler, 1, 95, 95);
  analyzer.analyze(seen);
  EXPECT_EQ(only_stall().cause, Cause::kLock);
}

TEST_F(StallAnalyzersTest, Shutdown_IsNoStallUnlessItIsOpen) {
  stacks.frames[kOther] = stack_of({"flush", "exit", "main"});
  StallSeen seen = iteration(1, StallState::kUnfinished);
  add(seen, computing(kOther), 90);
  analyzer.analyze(seen);
  EXPECT_TRUE(reporter.all<Stall>().empty());

  StallSeen ongoing = iteration(2, StallState::kOngoing);
  add(ongoing, computing(kHandler), 90);
  analyzer.analyze(ongoing);
  StallSeen rest = iteration(2, StallState::kUnfinished);
  add(rest, computing(kHandler), 90);
  add(rest, computing(kOther), 10);
  analyzer.analyze(rest);
  ASSERT_EQ(reporter.all<Stall>().size(), 2u);
  EXPECT_EQ(reporter.all<Stall>()[1].state, StallState::kUnfinished);
}

TEST_F(StallAnalyzersTest, LoopEndedEarlyInTheIteration_IsNoStall) {
  stacks.frames[kOther] = stack_of({"flush", "exit", "main"});
  StallSeen seen = iteration(1, StallState::kOngoing);
  add(seen, computing(kOther), 90);
  seen.samples.back().since = milliseconds(5);
  seen.iteration_id.begin_tick = 77;
  analyzer.analyze(seen);
  EXPECT_TRUE(reporter.all<Stall>().empty());
  const std::vector<AnalysisVerdict> posted = verdicts.take();
  ASSERT_EQ(posted.size(), 1u);
  EXPECT_EQ(std::get<NoStall>(posted[0]).iteration, seen.iteration_id);
}

TEST_F(StallAnalyzersTest, ProgramThatEndsSlowly_NotedNoStall) {
  stacks.frames[kOther] = stack_of({"munmap", "node::FreeEnvironment(node::Environment*)", "main"});
  StallSeen seen = iteration(1, StallState::kUnfinished);
  add(seen, computing(kOther), 90);
  seen.samples.back().since = milliseconds(5);
  analyzer.analyze(seen);
  EXPECT_TRUE(reporter.all<Stall>().empty());
  ASSERT_EQ(reporter.all<Note>().size(), 1u);
  const Note note = reporter.all<Note>()[0];
  EXPECT_EQ(note.kind, NoteKind::kProgramEnd);
  EXPECT_EQ(note.length, milliseconds(95));
  EXPECT_EQ(note.stack.at(note.culprit).function, "node::FreeEnvironment(node::Environment*)");
}

TEST_F(StallAnalyzersTest, RuntimeRunsItsLoopOnceMoreToEnd_NoStall) {
  stacks.frames[kOther] =
      stack_of({"listener", "node::EmitProcessExitInternal(node::Environment*)", "main"});
  StallSeen seen = iteration();
  add(seen, computing(kOther), 90);
  seen.samples.back().since = milliseconds(5);
  analyzer.analyze(seen);
  EXPECT_TRUE(reporter.all<Stall>().empty());
  EXPECT_EQ(reporter.all<Note>().size(), 1u);
}

TEST_F(StallAnalyzersTest, ServerThatGivesItsShutdownUp_AStall) {
  stacks.frames[kOther] = stack_of({"rdbSave", "prepareForShutdown", "serverCron", "main"});
  StallSeen seen = iteration();
  add(seen, computing(kOther), 90);
  seen.samples.back().since = milliseconds(5);
  analyzer.analyze(seen);
  EXPECT_EQ(reporter.all<Stall>().size(), 1u);
}

TEST_F(StallAnalyzersTest, TimeAfterTheLoop_IsNotCounted) {
  stacks.frames[kOther] = stack_of({"flush", "exit", "main"});
  StallSeen seen = iteration(1, StallState::kUnfinished);
  add(seen, blocked(kHandler, Function::nanosleep, Cause::kSleep), 60);
  add(seen, computing(kOther), 40);
  seen.samples.back().since = milliseconds(60);
  add_calls(seen, Function::nanosleep, kHandler, 1, 60, 60);
  analyzer.analyze(seen);
  const Stall stall = only_stall();
  EXPECT_EQ(stall.duration, milliseconds(60));
  EXPECT_EQ(stall.cause, Cause::kSleep);
  EXPECT_EQ(stall.limits.size(), 1u);
}

TEST_F(StallAnalyzersTest, LastSampledCallHasReturned_CountedOnce) {
  StallSeen seen = iteration(1, StallState::kUnfinished);
  add(seen, blocked(kHandler, Function::nanosleep, Cause::kSleep), 70);
  add_calls(seen, Function::nanosleep, kHandler, 1, 70, 70);
  add_calls(seen, Function::printf, kOther, 2, 20, 20);
  analyzer.analyze(seen);
  EXPECT_EQ(only_stall().cause, Cause::kSleep);
}

TEST_F(StallAnalyzersTest, LastSampledCallIsInProgress_CountedBesideEarlierOnes) {
  StallSeen seen = iteration(1, StallState::kOngoing);
  add(seen, blocked(kHandler, Function::nanosleep, Cause::kSleep), 70);
  add_calls(seen, Function::nanosleep, kHandler, 1, 1, 1);
  add_calls(seen, Function::printf, kOther, 2, 20, 20);
  seen.call = seen.samples.back().sample->recorded;
  analyzer.analyze(seen);
  EXPECT_EQ(only_stall().cause, Cause::kSleep);
}

TEST_F(StallAnalyzersTest, IdleWorker_IsNoStall) {
  stacks.frames[kHandler] =
      stack_of({"tokio::runtime::scheduler::multi_thread::park::Parker::park", "main"});
  StallSeen seen = iteration();
  add(seen, blocked(kHandler, Function::pthread_cond_wait, Cause::kWait), 90);
  add_calls(seen, Function::pthread_cond_wait, kHandler, 1, 90, 90);
  analyzer.analyze(seen);
  EXPECT_TRUE(reporter.all<Stall>().empty());
}

TEST_F(StallAnalyzersTest, IdleWait_IsPostedAsAVerdict) {
  stacks.frames[kHandler] =
      stack_of({"tokio::runtime::scheduler::multi_thread::park::Parker::park", "main"});
  IdleWaitSeen seen;
  seen.pid = 100;
  seen.sample =
      std::make_shared<const Sample>(blocked(kHandler, Function::pthread_cond_wait, Cause::kWait));
  seen.place.call_site = 0x77;
  idle_waits.analyze(seen);
  const std::vector<AnalysisVerdict> posted = verdicts.take();
  ASSERT_EQ(posted.size(), 1u);
  EXPECT_EQ(std::get<IdleWaitPlace>(posted[0]).call_site, 0x77u);
}

TEST_F(StallAnalyzersTest, BlockingCall_HasCauseAndCulprit) {
  BlockingCallSeen seen;
  seen.call = iteration();
  seen.call.duration = milliseconds(8);
  add(seen.call, blocked(kHandler, Function::nanosleep, Cause::kSleep), 8);
  blocking_calls.analyze(seen);
  ASSERT_EQ(reporter.all<BlockingCall>().size(), 1u);
  const BlockingCall call = reporter.all<BlockingCall>()[0];
  EXPECT_EQ(call.total, milliseconds(8));
  EXPECT_EQ(call.longest.cause, Cause::kSleep);
  EXPECT_EQ(call.longest.stack.at(call.longest.culprit).function, "handler");
}

TEST(ProcessNotes, NoteOfAProcess_IsSaidInOneRecordOnly) {
  ProcessNotes notes;
  EXPECT_TRUE(notes.may_say(100, "no names", 7));
  EXPECT_TRUE(notes.may_say(100, "no names", 7));
  EXPECT_FALSE(notes.may_say(100, "no names", 8));
  EXPECT_TRUE(notes.may_say(101, "no names", 8));
  EXPECT_TRUE(notes.may_say(100, "another", 8));
}

}  // namespace
}  // namespace tailback
