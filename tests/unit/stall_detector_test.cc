// Stalls of event loops, from records and events that a test writes.
#include "runtime/detectors/stall_detector.h"

#include <gtest/gtest.h>

#include "instrument/contract/wait_key.h"
#include "tests/unit/scripted_target.h"

namespace tailback {
namespace {

using intercept::Function;
using std::chrono::milliseconds;
using std::chrono::seconds;

class StallDetectorTest : public testing::Test {
 protected:
  // A loop that has iterated often enough to be one.
  StallDetectorTest() {
    detection_.poll();
    loop_.iterate(30, milliseconds(1));
    detection_.poll();
  }

  std::vector<StallSeen> stalls() const { return detection_.all<StallSeen>(); }
  std::vector<Note> notes() const {
    std::vector<Note> found;
    for (const NoteSeen& seen : detection_.all<NoteSeen>()) found.push_back(seen.note);
    return found;
  }

  ScriptedTarget target_;
  ScriptedLoop loop_{target_, 0};
  ScriptedDetection detection_{target_};
};

TEST_F(StallDetectorTest, ShortIterations_Silent) {
  for (int i = 0; i < 100; ++i) {
    loop_.iterate(1, milliseconds(99));
    detection_.run(milliseconds(20));
  }
  detection_.detection.finish();
  EXPECT_TRUE(stalls().empty());
  EXPECT_EQ(detection_.detection.summary().loops.size(), 1u);
}

TEST_F(StallDetectorTest, LongIteration_ReportedWhenItHasEnded) {
  loop_.begin_iteration();
  loop_.enter(Function::usleep, 0x4000);
  detection_.run(milliseconds(300));
  EXPECT_TRUE(stalls().empty());
  loop_.end_iteration();
  detection_.run(milliseconds(40));
  ASSERT_EQ(stalls().size(), 1u);
  const StallSeen stall = stalls().front();
  EXPECT_EQ(stall.state, StallState::kEnded);
  EXPECT_EQ(stall.duration, milliseconds(300));
  EXPECT_EQ(stall.tid, ScriptedTarget::tid_of(0));
  EXPECT_EQ(stall.loop.fd, 5);
  EXPECT_EQ(stall.pending_events, 0u);  // the wait that followed found nothing
  ASSERT_FALSE(stall.samples.empty());
  EXPECT_EQ(stall.samples.front().sample->recorded.function, Function::usleep);
}

TEST_F(StallDetectorTest, BetweenTwoPolls_ReportedWithItsExactLength) {
  loop_.iterate(1, milliseconds(101));
  detection_.run(milliseconds(80));
  ASSERT_EQ(stalls().size(), 1u);
  EXPECT_EQ(stalls().front().duration, milliseconds(101));
  EXPECT_TRUE(stalls().front().samples.empty());
}

// A loop by poll(2), whose thread has no iterations yet.
class PollLoopTest : public ::testing::Test {
 protected:
  PollLoopTest() {
    loop_.site().key.store(contract::call_site_key(0x4242));
    loop_.site().function = static_cast<uint32_t>(Function::poll);
  }
  void iterate_long() {
    loop_.begin_iteration();
    detection_.run(milliseconds(300));
    loop_.end_iteration();
    detection_.run(milliseconds(40));
  }
  std::vector<StallSeen> stalls() { return detection_.all<StallSeen>(); }

  ScriptedTarget target_;
  ScriptedLoop loop_{target_, 0};
  ScriptedDetection detection_{target_};
};

TEST_F(PollLoopTest, FirstIterationLong_ReportedOnceItIsALoop) {
  iterate_long();
  EXPECT_TRUE(stalls().empty());
  loop_.iterate(31, milliseconds(1));
  detection_.run(milliseconds(40));
  ASSERT_EQ(stalls().size(), 1u);
  EXPECT_EQ(stalls().front().duration, milliseconds(300));
  EXPECT_EQ(stalls().front().state, StallState::kEnded);
  EXPECT_NE(stalls().front().id, 0u);
  detection_.run(milliseconds(400));
  EXPECT_EQ(stalls().size(), 1u);
}

TEST_F(PollLoopTest, FewIterations_NotReported) {
  iterate_long();
  loop_.iterate(20, milliseconds(1));
  detection_.run(milliseconds(100));
  EXPECT_TRUE(stalls().empty());
}

TEST_F(PollLoopTest, LaterWaitsAtOtherDepth_NotReported) {
  iterate_long();
  loop_.site().stack_pointer -= 0x1000;
  loop_.iterate(40, milliseconds(1));
  detection_.run(milliseconds(100));
  EXPECT_TRUE(stalls().empty());
}

TEST_F(StallDetectorTest, VeryLongIteration_ReportedWhileItLasts) {
  loop_.begin_iteration();
  detection_.run(milliseconds(1020));
  ASSERT_EQ(stalls().size(), 1u);
  EXPECT_EQ(stalls().front().state, StallState::kOngoing);
  detection_.run(milliseconds(1980));
  ASSERT_EQ(stalls().size(), 2u);  // again at twice the length
  loop_.end_iteration();
  detection_.run(milliseconds(40));
  ASSERT_EQ(stalls().size(), 3u);
  EXPECT_EQ(stalls().back().state, StallState::kEnded);
  EXPECT_EQ(stalls().back().id, stalls().front().id);
  EXPECT_EQ(stalls().back().duration, seconds(3));
}

TEST_F(StallDetectorTest, SessionEndsWithinIteration_Unfinished) {
  loop_.begin_iteration();
  detection_.run(milliseconds(500));
  detection_.detection.finish();
  ASSERT_EQ(stalls().size(), 1u);
  EXPECT_EQ(stalls().front().state, StallState::kUnfinished);
  EXPECT_EQ(stalls().front().duration, milliseconds(500));
}

TEST_F(StallDetectorTest, ThreadExitsWithinIteration_NotAStall) {
  loop_.begin_iteration();
  detection_.run(milliseconds(500));
  target_.exit_thread(0);
  detection_.run(milliseconds(40));
  EXPECT_TRUE(stalls().empty());
  EXPECT_EQ(target_.segment().threads[0].state.load(),
            static_cast<uint32_t>(contract::ThreadState::kFree));
}

TEST_F(StallDetectorTest, ProcessEndsWithinIteration_Unfinished) {
  loop_.begin_iteration();
  detection_.run(milliseconds(500));
  target_.proc_.by_tid.clear();
  detection_.run(milliseconds(20));
  ASSERT_EQ(stalls().size(), 1u);
  EXPECT_EQ(stalls().front().state, StallState::kUnfinished);
}

TEST_F(StallDetectorTest, ProcessEndsWithinPoll_Unfinished) {
  for (int earlier_polls = 0; earlier_polls < 50; ++earlier_polls) {
    ScriptedTarget target;
    ScriptedLoop loop(target, 0);
    ScriptedDetection detection(target);
    loop.iterate(30, milliseconds(1));
    detection.run(earlier_polls * milliseconds(20));
    loop.begin_iteration();
    detection.run(milliseconds(500));
    target.proc_.ends_after_start_time = true;
    detection.run(milliseconds(40));
    const std::vector<StallSeen> stalls = detection.all<StallSeen>();
    ASSERT_EQ(stalls.size(), 1u) << earlier_polls;
    EXPECT_EQ(stalls.front().state, StallState::kUnfinished);
  }
}

TEST_F(StallDetectorTest, ThreadExitsWithinReportedStall_Unfinished) {
  loop_.begin_iteration();
  detection_.run(milliseconds(1020));
  target_.exit_thread(0);
  detection_.run(milliseconds(40));
  ASSERT_EQ(stalls().size(), 2u);
  EXPECT_EQ(stalls().back().state, StallState::kUnfinished);
  EXPECT_EQ(stalls().back().id, stalls().front().id);
}

TEST_F(StallDetectorTest, EventOfReportedStallIsLost_EndedWithALowerBound) {
  loop_.begin_iteration();
  detection_.run(milliseconds(1020));
  loop_.lose_iteration();
  detection_.run(milliseconds(100));
  ASSERT_EQ(stalls().size(), 2u);
  EXPECT_EQ(stalls().back().state, StallState::kEnded);
  EXPECT_EQ(stalls().back().duration, milliseconds(1020));
}

TEST_F(StallDetectorTest, NestedLoop_OnlyTheOuterIterationCounts) {
  ScriptedLoop inner(target_, 0, 1, 6, 0x5000);
  inner.iterate(30, milliseconds(1));
  loop_.begin_iteration();
  target_.clock_.advance(milliseconds(1));
  inner.begin_iteration();
  detection_.run(milliseconds(300));
  inner.end_iteration();
  detection_.run(milliseconds(80));
  EXPECT_TRUE(stalls().empty());
  loop_.end_iteration();
  detection_.run(milliseconds(80));
  ASSERT_EQ(stalls().size(), 1u);
  EXPECT_EQ(stalls().front().loop.fd, 5);
}

TEST_F(StallDetectorTest, WaitsAtSibling_Silent) {
  ScriptedLoop sibling(target_, 0, 1, 6);
  sibling.iterate(30, milliseconds(1));
  loop_.begin_iteration();
  loop_.enter(Function::epoll_wait, sibling.site().call_site, ScriptedLoop::kOuterStack);
  detection_.run(seconds(3));
  EXPECT_TRUE(stalls().empty());
  EXPECT_EQ(target_.sampler_->taken, 0u);
}

TEST_F(StallDetectorTest, KnownIdleWait_Silent) {
  loop_.begin_iteration();
  loop_.enter(Function::pthread_cond_wait, 0x4000);
  detection_.run(milliseconds(60));
  const auto asked = detection_.all<IdleWaitSeen>();
  ASSERT_FALSE(asked.empty());
  detection_.verdicts.post(asked.front().place);
  detection_.run(seconds(3));
  EXPECT_TRUE(stalls().empty());
  EXPECT_EQ(target_.segment().threads[0].idle_waits[0].call_site.load(), 0x4000u);
}

// The iteration has ended where the idle wait began.
TEST_F(StallDetectorTest, IdleWaitKnownInIt_ItsSamplesDropped) {
  loop_.begin_iteration();
  loop_.enter(Function::usleep, 0x4000);
  detection_.run(milliseconds(200));
  const uint64_t entered = target_.clock_.now();
  loop_.enter(Function::pthread_cond_wait, 0x5000);
  detection_.run(milliseconds(60));
  loop_.end_idle_wait(entered);
  detection_.run(milliseconds(100));
  ASSERT_EQ(stalls().size(), 1u);
  EXPECT_EQ(stalls().front().duration, milliseconds(200));
  ASSERT_EQ(stalls().front().samples.size(), 1u);
  EXPECT_EQ(stalls().front().samples[0].sample->recorded.call_site, 0x4000u);
}

TEST_F(StallDetectorTest, UnknownIdleWait_AskedAFewTimesOnly) {
  loop_.begin_iteration();
  loop_.enter(Function::pthread_cond_wait, 0x4000);
  detection_.run(seconds(2));
  EXPECT_EQ(detection_.all<IdleWaitSeen>().size(), 3u);
  EXPECT_FALSE(stalls().empty());
}

// What was reported while it lasted would keep the loops that share its thread silent.
TEST_F(StallDetectorTest, LoopWasOver_AnotherLoopOfTheThreadIsReported) {
  loop_.begin_iteration();
  detection_.run(milliseconds(1020));
  ASSERT_EQ(stalls().size(), 1u);
  ScriptedLoop later(target_, 0, 1, 6, ScriptedLoop::kOuterStack + 8);
  later.iterate(1, milliseconds(300));
  detection_.run(milliseconds(80));
  EXPECT_EQ(stalls().size(), 1u);
  detection_.verdicts.post(NoStall{stalls().front().iteration_id});
  detection_.run(milliseconds(20));
  later.iterate(1, milliseconds(300));
  detection_.run(milliseconds(80));
  ASSERT_EQ(stalls().size(), 2u);
  EXPECT_EQ(stalls().back().loop.fd, 6);
}

TEST_F(StallDetectorTest, LoopWaits_SampledOnceAndWhenTheyMove) {
  detection_.run(seconds(5));
  const size_t sampled = detection_.all<LoopWaitSeen>().size();
  EXPECT_EQ(sampled, 1u);
  loop_.iterate(1, milliseconds(1));
  detection_.run(seconds(2));
  EXPECT_EQ(detection_.all<LoopWaitSeen>().size(), 2u);
}

TEST_F(StallDetectorTest, LoopWaits_InterpretersReadSomeTimesOnly) {
  for (int i = 0; i < 8; ++i) {
    loop_.iterate(1, milliseconds(1));
    detection_.run(seconds(2));
  }
  const auto waits = detection_.all<LoopWaitSeen>();
  ASSERT_GT(waits.size(), 4u);
  EXPECT_TRUE(waits[0].interpreted);
  EXPECT_TRUE(waits[3].interpreted);
  EXPECT_FALSE(waits[4].interpreted);
  EXPECT_EQ(target_.sampler_->waits_interpreted, 4u);
}

TEST_F(StallDetectorTest, StoppedThread_TimeDoesNotCount) {
  loop_.begin_iteration();
  detection_.run(milliseconds(40));
  target_.proc_.by_tid[ScriptedTarget::tid_of(0)].state = 'T';
  detection_.run(seconds(2));
  target_.proc_.by_tid[ScriptedTarget::tid_of(0)].state = 'S';
  detection_.run(milliseconds(20));
  loop_.end_iteration();
  detection_.run(milliseconds(80));
  EXPECT_TRUE(stalls().empty());
  ASSERT_EQ(notes().size(), 1u);
  EXPECT_EQ(notes().front().kind, NoteKind::kStopped);
}

TEST_F(StallDetectorTest, SampleOfALaterIteration_Dropped) {
  loop_.begin_iteration();
  target_.sampler_->on_take = [this] {
    target_.clock_.advance(milliseconds(100));
    loop_.end_iteration();
    loop_.begin_iteration();
  };
  detection_.run(milliseconds(140));
  EXPECT_GT(target_.sampler_->taken, 0u);
  ASSERT_EQ(stalls().size(), 1u);
  EXPECT_TRUE(stalls().front().samples.empty());
}

TEST_F(StallDetectorTest, AllowedScope_TimeDoesNotCount) {
  loop_.begin_iteration();
  loop_.record().allowed_since.store(target_.clock_.now());
  detection_.run(seconds(2));
  EXPECT_TRUE(stalls().empty());
  EXPECT_EQ(target_.sampler_->taken, 0u);
}

TEST_F(StallDetectorTest, LateObserver_NotedAndSaidInTheReport) {
  loop_.begin_iteration();
  target_.clock_.advance(milliseconds(700));
  detection_.poll();
  loop_.end_iteration();
  detection_.run(milliseconds(80));
  ASSERT_EQ(notes().size(), 1u);
  EXPECT_EQ(notes().front().kind, NoteKind::kObserverLate);
  ASSERT_EQ(stalls().size(), 1u);
  EXPECT_EQ(stalls().front().duration, milliseconds(700));
  ASSERT_EQ(stalls().front().limits.size(), 1u);
  EXPECT_EQ(stalls().front().limits.front().kind, LimitKind::kObserverLate);
}

TEST_F(StallDetectorTest, LateObserverAgain_NotedOnce) {
  for (int i = 0; i < 3; ++i) {
    target_.clock_.advance(milliseconds(700));
    detection_.poll();
  }
  EXPECT_EQ(notes().size(), 1u);
}

TEST_F(StallDetectorTest, SuspendedMachine_NotedAndNotLate) {
  target_.proc_.suspended += seconds(60);
  detection_.run(milliseconds(40));
  ASSERT_EQ(notes().size(), 1u);
  EXPECT_EQ(notes().front().kind, NoteKind::kSuspended);
  EXPECT_EQ(notes().front().length, seconds(60));
}

TEST_F(StallDetectorTest, ClosedEpoll_Silent) {
  target_.proc_.descriptors = "socket:[1]";
  loop_.begin_iteration();
  detection_.run(seconds(2));
  EXPECT_TRUE(stalls().empty());
}

// The loop has ended, and the program polls what has its number now.
TEST_F(StallDetectorTest, NumberOfEpollReusedAndPolled_Silent) {
  ScriptedLoop poll(target_, 0, 1, 6, ScriptedLoop::kOuterStack + 8);
  poll.site().key.store(contract::call_site_key(poll.site().call_site));
  poll.site().function = static_cast<uint32_t>(Function::poll);
  target_.proc_.descriptors = "socket:[1]";
  loop_.begin_iteration();
  target_.clock_.advance(milliseconds(300));
  loop_.end_iteration();
  detection_.run(milliseconds(100));
  EXPECT_TRUE(stalls().empty());
  target_.proc_.descriptors = "anon_inode:[eventpoll]";
  loop_.begin_iteration();
  target_.clock_.advance(milliseconds(300));
  loop_.end_iteration();
  detection_.run(milliseconds(100));
  EXPECT_EQ(stalls().size(), 1u);
}

TEST_F(StallDetectorTest, CorruptEvent_Counted) {
  loop_.begin_iteration();
  target_.clock_.advance(milliseconds(300));
  loop_.end_iteration();
  target_.segment().ring[0].event.record = UINT32_MAX;
  detection_.run(milliseconds(80));
  EXPECT_TRUE(stalls().empty());
  EXPECT_EQ(detection_.detection.summary().losses.corrupt, 1u);
}

TEST_F(StallDetectorTest, SampleFails_CountedAndTheOtherDetectorsGoOn) {
  target_.sampler_->fails = true;
  loop_.begin_iteration();
  detection_.run(milliseconds(200));
  EXPECT_GT(detection_.detection.summary().losses.corrupt, 0u);
  target_.sampler_->fails = false;
  loop_.end_iteration();
  detection_.run(milliseconds(80));
  EXPECT_EQ(stalls().size(), 1u);
}

TEST_F(StallDetectorTest, ThreadChosenAsNoLoop_Silent) {
  ScriptedTarget target;
  ScriptedLoop loop(target, 0);
  ObserverSettings settings;
  settings.loops.not_loops = {"serv*"};
  ScriptedDetection detection(target, settings);
  detection.poll();
  loop.iterate(30, milliseconds(1));
  loop.iterate(1, seconds(2));
  detection.run(milliseconds(80));
  EXPECT_TRUE(detection.all<StallSeen>().empty());
}

}  // namespace
}  // namespace tailback
