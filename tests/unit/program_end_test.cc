// Programs that end: which stacks say so, and what is reported of an end that waits.
#include "runtime/explain/program_end.h"

#include <gtest/gtest.h>

#include "runtime/analysis/program_end_analyzer.h"
#include "tests/unit/fake_stacks.h"
#include "tests/unit/recording_reporter.h"
#include "tests/unit/scripted_target.h"

namespace tailback {
namespace {

using intercept::Function;
using std::chrono::milliseconds;
using std::chrono::seconds;

Frame python_frame(const char* function, const char* file) {
  Frame frame;
  frame.function = function;
  frame.file = file;
  frame.language = "python";
  return frame;
}

TEST(FindProgramEnd, Callbacks_AreNone) {
  EXPECT_FALSE(find_program_end({}));
  EXPECT_FALSE(find_program_end(stack_of({"on_exit_button", "main"})));
  EXPECT_FALSE(find_program_end(stack_of({"exit_room", "node::StopWatch()", "main"})));
  EXPECT_FALSE(find_program_end({python_frame("_shutdown", "/srv/app/server.py")}));
  EXPECT_FALSE(find_program_end({python_frame("exit", "/srv/app/server.py")}));
  EXPECT_FALSE(find_program_end({python_frame("Arbiter.halt", "/app/halt.py")}));
}

TEST(FindProgramEnd, ExitHandlersAndTeardown_AreOne) {
  EXPECT_EQ(find_program_end(stack_of({"sleep", "flush", "__run_exit_handlers", "exit"}))->frame,
            2u);
  EXPECT_TRUE(find_program_end(stack_of({"pthread_join", "Py_FinalizeEx", "Py_RunMain"})));
  for (const char* function :
       {"node::TearDownOncePerProcess()", "node::NodeMainInstance::~NodeMainInstance()",
        "node::FreeEnvironment(node::Environment*)",
        "node::EmitProcessExitInternal(node::Environment*)"}) {
    const auto end = find_program_end(stack_of({"munmap", function, "node::Start(int, char**)"}));
    ASSERT_TRUE(end) << function;
    EXPECT_EQ(end->frame, 1u);
    EXPECT_TRUE(end->is_final);
  }
  EXPECT_TRUE(find_program_end({python_frame("_shutdown", "/usr/lib/python3.11/threading.py")}));
  EXPECT_TRUE(find_program_end(
      {python_frame("Arbiter.halt", "/usr/lib/python3/dist-packages/gunicorn/arbiter.py")}));
}

TEST(FindProgramEnd, RedisSavesItsData_MayGoOn) {
  const auto end =
      find_program_end(stack_of({"fsync", "rdbSave", "finishShutdown", "serverCron", "aeMain"}));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->frame, 2u);
  EXPECT_FALSE(end->is_final);
}

constexpr uint64_t kJoin = 0x401;
constexpr uint64_t kWorker = 0x402;

class ProgramEndAnalyzerTest : public ::testing::Test {
 protected:
  ProgramEndAnalyzerTest() {
    stacks.frames[kJoin] = stack_of({"~Pool", "__run_exit_handlers", "exit", "main"});
    stacks.frames[kWorker] = stack_of({"copy", "worker"});
    seen.pid = seen.tid = 100;
    seen.process = "server";
    seen.waited = seconds(1);
    seen.sample = std::make_shared<const Sample>(in_call(kJoin, Function::pthread_join));
  }

  static Sample in_call(uint64_t stack, Function function) {
    Sample sample;
    sample.source = Sample::Source::kRecord;
    sample.state = 'S';
    sample.recorded.function = function;
    sample.call.emplace();
    sample.call->call.function = intercept::kFunctions[static_cast<uint32_t>(function)].name;
    sample.call->cause = Cause::kWait;
    sample.snapshot = snapshot_at(stack);
    return sample;
  }
  static OwnerSample worker() {
    OwnerSample owner;
    owner.pid = 100;
    owner.tid = 105;
    owner.thread = "copier";
    owner.state = OwnerState::kBlocked;
    owner.sample = std::make_shared<const Sample>(in_call(kWorker, Function::read));
    return owner;
  }

  FakeReader fake;
  FakeStacks& stacks = *fake.stacks;
  RecordingReporter reporter;
  LockNames names{fake.reader};
  OwnerReader owners{fake.reader, names};
  Blame blame{fake.reader, names, owners};
  ProgramEndAnalyzer analyzer{fake.reader, blame, owners, reporter};
  ProgramEndSeen seen;
};

TEST_F(ProgramEndAnalyzerTest, LongCallOfAProgramThatGoesOn_NotReported) {
  stacks.frames[kJoin] = stack_of({"wait_for_workers", "main"});
  analyzer.analyze(seen);
  EXPECT_TRUE(reporter.records.empty());
}

TEST_F(ProgramEndAnalyzerTest, Join_SaysForWhomAndWhatThatOneDoes) {
  Sample sample = in_call(kJoin, Function::pthread_join);
  sample.call->reading.emplace();
  sample.call->reading->kind = LockKind::kThread;
  sample.owners.push_back(worker());
  sample.owners.back().lock.kind = LockKind::kThread;
  seen.sample = std::make_shared<const Sample>(std::move(sample));
  analyzer.analyze(seen);
  ASSERT_EQ(reporter.all<Note>().size(), 1u);
  const Note note = reporter.all<Note>()[0];
  EXPECT_EQ(note.kind, NoteKind::kBlockedEnd);
  EXPECT_EQ(note.length, seconds(1));
  EXPECT_EQ(note.stack.at(note.culprit).function, "~Pool");
  ASSERT_TRUE(note.call);
  EXPECT_EQ(note.call->function, "pthread_join");
  ASSERT_EQ(note.owners.size(), 1u);
  EXPECT_EQ(note.owners[0].thread, "copier");
  EXPECT_EQ(note.owners[0].stack.at(note.owners[0].culprit).function, "copy");
  EXPECT_TRUE(note.others.empty());
}

TEST_F(ProgramEndAnalyzerTest, WaiterIsNotKnown_SaysWhoHasNotEnded) {
  seen.sample = std::make_shared<const Sample>(in_call(kJoin, Function::sem_wait));
  seen.others.push_back(worker());
  analyzer.analyze(seen);
  const Note note = reporter.all<Note>().at(0);
  EXPECT_TRUE(note.owners.empty());
  ASSERT_EQ(note.others.size(), 1u);
  EXPECT_EQ(note.others[0].tid, 105);
  ASSERT_TRUE(note.others[0].call);
  EXPECT_EQ(note.others[0].call->function, "read");
}

TEST_F(ProgramEndAnalyzerTest, CallerOfExit_IsNotNamed) {
  stacks.frames[kJoin] = stack_of({"", "exit", "quit", "main"});
  analyzer.analyze(seen);
  const Note note = reporter.all<Note>().at(0);
  EXPECT_EQ(note.stack.at(note.culprit).function, "exit");
}

// The main thread of a program, which has run a loop, in one call for long.
class ProgramEndDetectorTest : public ::testing::Test {
 protected:
  size_t seen() const { return detection_.all<ProgramEndSeen>().size(); }

  ScriptedTarget target_;
  ScriptedLoop loop_{target_, 0};
  ScriptedDetection detection_{target_};
};

TEST_F(ProgramEndDetectorTest, WaitsForEvents_NotSampled) {
  loop_.iterate(20, milliseconds(1));
  detection_.run(seconds(20));
  EXPECT_EQ(seen(), 0u);
}

TEST_F(ProgramEndDetectorTest, NoLoopBefore_NotSampled) {
  ScriptedTarget target;
  target.thread(0).call.function.store(static_cast<uint32_t>(Function::pthread_join));
  ScriptedDetection detection(target);
  detection.run(seconds(20));
  EXPECT_EQ(detection.all<ProgramEndSeen>().size(), 0u);
}

TEST_F(ProgramEndDetectorTest, ShortCalls_NotSampled) {
  loop_.iterate(20, milliseconds(1));
  for (int i = 0; i < 20; ++i) {
    loop_.begin_iteration();
    loop_.enter(Function::pthread_join, 0x99);
    detection_.run(milliseconds(900));
    loop_.leave();
    loop_.end_iteration();
    detection_.run(milliseconds(40));
  }
  EXPECT_EQ(seen(), 0u);
}

TEST_F(ProgramEndDetectorTest, LongCall_SampledEverMoreSeldom) {
  loop_.iterate(20, milliseconds(1));
  loop_.begin_iteration();
  loop_.enter(Function::pthread_join, 0x99);
  detection_.run(milliseconds(900));
  EXPECT_EQ(seen(), 0u);
  detection_.run(milliseconds(300));
  ASSERT_EQ(seen(), 1u);
  EXPECT_GE(detection_.all<ProgramEndSeen>()[0].waited, seconds(1));
  detection_.run(seconds(2));
  EXPECT_EQ(seen(), 1u);
  detection_.run(seconds(60));
  EXPECT_LE(seen(), 5u);
  EXPECT_GE(seen(), 3u);
}

TEST_F(ProgramEndDetectorTest, OneLongCallAfterAnother_SampledSeldom) {
  loop_.iterate(20, milliseconds(1));
  loop_.begin_iteration();
  for (int i = 0; i < 40; ++i) {
    loop_.enter(Function::pthread_join, 0x99);
    detection_.run(milliseconds(1500));
    loop_.leave();
  }
  EXPECT_LE(seen(), 12u);
  EXPECT_GE(seen(), 4u);
}

}  // namespace
}  // namespace tailback
