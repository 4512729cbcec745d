// Detectors beside that of stalls, over a target that exists in the test only.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include "runtime/detectors/blocking_call_detector.h"
#include "runtime/detectors/deadlock_detector.h"
#include "runtime/detectors/detector_loop.h"
#include "runtime/detectors/sanitizer_text_watch.h"
#include "runtime/segment/live_threads.h"
#include "tests/unit/scripted_target.h"

namespace tailback {
namespace {

using intercept::Function;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(LiveThreads, OtherStates_Skipped) {
  ScriptedTarget target;
  target.thread(1);
  target.thread(3);
  target.thread(4);
  target.exit_thread(3);
  std::vector<uint32_t> found;
  for (const auto thread : live_threads(target.segment())) found.push_back(thread.index);
  EXPECT_EQ(found, (std::vector<uint32_t>{1, 4}));
}

TEST(LiveThreads, NoRecordUsed_None) {
  ScriptedTarget target;
  for (const auto thread : live_threads(target.segment())) FAIL() << thread.index;
}

// A thread without wait sites, which the kernel shows in a call of its own code.
class UnhookedLoopDetectorTest : public testing::Test {
 protected:
  UnhookedLoopDetectorTest() {
    target_.thread(0);
    detection_.poll();
  }

  ScriptedProc::Thread& thread() { return target_.proc_.by_tid[ScriptedTarget::tid_of(0)]; }
  void block_in(long number, uint64_t stack_pointer, uint64_t first_argument) {
    KernelCall call;
    call.number = number;
    call.arguments[0] = first_argument;
    call.stack_pointer = stack_pointer;
    call.instruction_pointer = 0x1234;
    thread().blocked = call;
    ++thread().switches;
  }
  // Waits for events for long enough to be known as a loop.
  void become_loop() {
    for (int i = 0; i < 200; ++i) {
      block_in(SYS_epoll_wait, 0x7000, 5);
      detection_.run(milliseconds(40));
    }
  }
  std::vector<StallSeen> stalls() const { return detection_.all<StallSeen>(); }

  ScriptedTarget target_;
  ScriptedDetection detection_{target_};
};

TEST_F(UnhookedLoopDetectorTest, BlockedElsewhere_ReportedWhenItIsBack) {
  become_loop();
  block_in(SYS_read, 0x6000, 9);
  detection_.run(milliseconds(400));
  EXPECT_TRUE(stalls().empty());
  block_in(SYS_epoll_wait, 0x7000, 5);
  detection_.run(milliseconds(40));
  ASSERT_EQ(stalls().size(), 1u);
  EXPECT_EQ(stalls().front().state, StallState::kEnded);
  EXPECT_EQ(stalls().front().loop.fd, 5);
  EXPECT_GE(stalls().front().duration, milliseconds(360));
  EXPECT_LE(stalls().front().duration, milliseconds(400));
}

TEST_F(UnhookedLoopDetectorTest, MovesBetweenPolls_Silent) {
  become_loop();
  for (int i = 0; i < 50; ++i) {
    block_in(SYS_read, 0x6000, 9);
    detection_.run(milliseconds(20));
  }
  EXPECT_TRUE(stalls().empty());
}

TEST_F(UnhookedLoopDetectorTest, BlockedInWaitOnly_Silent) {
  become_loop();
  detection_.run(seconds(5));
  EXPECT_TRUE(stalls().empty());
}

class BlockingCallDetectorTest : public testing::Test {
 protected:
  static ObserverSettings settings() {
    ObserverSettings settings;
    settings.threshold = seconds(1);
    settings.blocking_calls.slow = milliseconds(1);
    return settings;
  }

  BlockingCallDetectorTest() {
    detection_.poll();
    loop_.iterate(30, milliseconds(1));
    detection_.poll();
  }

  // Polls every half millisecond.
  void run(Nanoseconds length) {
    for (Nanoseconds passed{}; passed < length; passed += std::chrono::microseconds(500)) {
      target_.clock_.advance(std::chrono::microseconds(500));
      detection_.poll();
    }
  }

  ScriptedTarget target_;
  ScriptedLoop loop_{target_, 0};
  ScriptedDetection detection_{target_, settings()};
};

TEST_F(BlockingCallDetectorTest, SlowCall_EmittedOnce) {
  loop_.begin_iteration();
  loop_.enter(Function::usleep, 0x4000);
  run(milliseconds(5));
  target_.publish_slow_call(loop_, Function::usleep, 0x4000);
  loop_.leave();
  run(milliseconds(2));
  const auto calls = detection_.all<BlockingCallSeen>();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls.front().kind, BlockingCallKind::kWaited);
  EXPECT_EQ(calls.front().call.duration, milliseconds(5));
  ASSERT_EQ(calls.front().call.samples.size(), 1u);
}

TEST_F(BlockingCallDetectorTest, SlowCallThatWasNotSeen_Counted) {
  loop_.begin_iteration();
  loop_.enter(Function::usleep, 0x4000);
  target_.clock_.advance(milliseconds(5));
  target_.publish_slow_call(loop_, Function::usleep, 0x4000);
  loop_.leave();
  run(milliseconds(2));
  EXPECT_TRUE(detection_.all<BlockingCallSeen>().empty());
  EXPECT_EQ(detection_.detection.summary().counts[RecordKind::kBlockingCall].lost, 1u);
}

TEST_F(BlockingCallDetectorTest, Finished_RecordersAreToldThatNoCallMatters) {
  EXPECT_EQ(target_.segment().header.slow_call_ticks.load(), 1'000'000u);
  detection_.detection.finish();
  EXPECT_EQ(target_.segment().header.slow_call_ticks.load(), 0u);
}

TEST(LoopAround, NestedLoops_Outermost) {
  SiteView outer;
  outer.key = 1;
  outer.function = Function::epoll_wait;
  outer.stack_pointer = 0x7000;
  outer.iteration_begin = 10;
  SiteView inner = outer;
  inner.key = 2;
  inner.stack_pointer = 0x6000;
  inner.call_site = 0x20;
  const std::vector<SiteView> sites = {inner, outer};
  CallView call;
  call.function = Function::usleep;
  ASSERT_TRUE(loop_around(call, 0, sites, sites));
  EXPECT_EQ(loop_around(call, 0, sites, sites)->key, 1u);
  EXPECT_EQ(loop_around(call, 2, sites, sites)->key, 2u);
  EXPECT_FALSE(loop_around(call, 3, sites, sites));
  EXPECT_FALSE(loop_around(call, 0, sites, {}));
}

class DeadlockDetectorTest : public testing::Test {
 protected:
  // A thread that waits for a mutex which another one holds.
  void wait_for(uint32_t index, uint64_t lock, uint32_t owner) {
    contract::Call& call = target_.thread(index).call;
    call.entered.store(target_.clock_.now());
    call.arguments[0] = lock;
    call.function.store(static_cast<uint32_t>(Function::pthread_mutex_lock));
    KernelCall blocked;
    blocked.number = SYS_futex;
    blocked.arguments[0] = lock;
    target_.proc_.by_tid[ScriptedTarget::tid_of(index)].blocked = blocked;
    target_.sampler_->owners[lock] = ScriptedTarget::tid_of(owner);
  }
  std::vector<DeadlockSeen> deadlocks() const { return detection_.all<DeadlockSeen>(); }

  ScriptedTarget target_;
  ScriptedDetection detection_{target_};
};

TEST_F(DeadlockDetectorTest, TwoThreadsWaitForEachOther_EmittedOnce) {
  wait_for(0, 0x1000, 1);
  wait_for(1, 0x2000, 0);
  detection_.run(seconds(3));
  ASSERT_EQ(deadlocks().size(), 1u);
  EXPECT_EQ(deadlocks().front().kind, DeadlockKind::kCycle);
  EXPECT_EQ(deadlocks().front().threads.size(), 2u);
}

TEST_F(DeadlockDetectorTest, OwnerRuns_Silent) {
  target_.thread(1);
  wait_for(0, 0x1000, 1);
  detection_.run(seconds(3));
  EXPECT_TRUE(deadlocks().empty());
}

TEST_F(DeadlockDetectorTest, ThreadWaitsForItself_Self) {
  wait_for(0, 0x1000, 0);
  detection_.run(seconds(3));
  ASSERT_EQ(deadlocks().size(), 1u);
  EXPECT_EQ(deadlocks().front().kind, DeadlockKind::kSelf);
}

TEST(SanitizerTextWatch, FailedPoll_CountedAndTheNextIsMade) {
  ScriptedTarget target;
  SanitizerTextWatch watch(target, {.log_path = testing::TempDir() + "/no-such-log"},
                           [](Observation) { ADD_FAILURE(); });
  target.sampler_->fails = true;
  watch.poll();
  EXPECT_EQ(watch.failures(), 1u);
  target.sampler_->fails = false;
  watch.poll();
  EXPECT_EQ(watch.failures(), 1u);
}

class Counted final : public Detector {
 public:
  explicit Counted(Nanoseconds interval) : interval_(interval) {}
  Nanoseconds interval() const override { return interval_; }
  void poll() override {
    ++polls;
    if (fails) throw std::runtime_error("failed");
  }
  void finish() override { ++finished; }

  unsigned polls = 0;
  unsigned finished = 0;
  bool fails = false;

 private:
  Nanoseconds interval_;
};

TEST(DetectorLoop, SeveralDetectors_EachAtItsInterval) {
  ScriptedTarget target;
  Counted often{milliseconds(1)};
  Counted seldom{milliseconds(20)};
  DetectorLoop loop(target);
  loop.add(seldom);
  loop.add(often);
  for (int i = 0; i < 200; ++i) {
    loop.poll();
    target.clock_.advance(milliseconds(1));
  }
  EXPECT_EQ(often.polls, 200u);
  EXPECT_EQ(seldom.polls, 10u);
}

TEST(DetectorLoop, FailureOfOne_CountedAndTheOthersArePolled) {
  ScriptedTarget target;
  Counted failing{milliseconds(1)};
  Counted other{milliseconds(1)};
  failing.fails = true;
  DetectorLoop loop(target);
  loop.add(failing);
  loop.add(other);
  loop.poll();
  loop.finish();
  EXPECT_EQ(loop.failures(), 2u);
  EXPECT_EQ(other.polls, 2u);
  EXPECT_EQ(other.finished, 1u);
  EXPECT_EQ(failing.finished, 1u);
}

TEST(DetectorLoop, StartedAndStopped_PolledAndFinishedOnce) {
  ScriptedTarget target;
  Counted detector{milliseconds(1)};
  DetectorLoop loop(target);
  loop.add(detector);
  loop.start();
  loop.stop();
  EXPECT_GE(detector.polls, 1u);
  EXPECT_EQ(detector.finished, 1u);
}

TEST(SessionTracker, ProcessThatHasEnded_ItsRecordsAreFree) {
  ScriptedTarget target;
  target.thread(0);
  target.thread(1);
  ScriptedDetection detection(target);
  detection.poll();
  EXPECT_EQ(detection.detection.live_processes(), 1u);
  target.proc_.by_tid.clear();
  detection.run(milliseconds(20));
  EXPECT_EQ(detection.detection.live_processes(), 0u);
  EXPECT_EQ(detection.detection.seen_processes(), 1u);
  const auto free = static_cast<uint32_t>(contract::ThreadState::kFree);
  EXPECT_EQ(target.segment().threads[0].state.load(), free);
  EXPECT_EQ(target.segment().threads[1].state.load(), free);
  EXPECT_EQ(detection.detection.summary().threads, 2u);
}

TEST(SessionTracker, ThreadGoneWithoutAWord_Retired) {
  ScriptedTarget target;
  target.thread(0);
  target.thread(1);
  ScriptedDetection detection(target);
  detection.poll();
  target.proc_.by_tid.erase(ScriptedTarget::tid_of(1));
  detection.run(seconds(2));
  EXPECT_EQ(target.segment().threads[1].state.load(),
            static_cast<uint32_t>(contract::ThreadState::kFree));
}

TEST(SessionStatistics, Status_EmittedWhenAskedFor) {
  ScriptedTarget target;
  ScriptedLoop loop(target, 0);
  ScriptedDetection detection(target);
  detection.poll();
  loop.iterate(30, milliseconds(1));
  detection.poll();
  EXPECT_TRUE(detection.all<StatusSeen>().empty());
  detection.detection.ask_for_status();
  detection.run(milliseconds(20));
  ASSERT_EQ(detection.all<StatusSeen>().size(), 1u);
  const SessionStatus status = detection.all<StatusSeen>().front().status;
  EXPECT_EQ(status.threads, 1u);
  ASSERT_EQ(status.loops.size(), 1u);
  EXPECT_EQ(status.loops.front().iterations, 30u);
}

}  // namespace
}  // namespace tailback
