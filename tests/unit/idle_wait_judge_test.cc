// Idle waits within iterations, over stacks that the test gives.
#include "runtime/analysis/idle_wait_judge.h"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "tests/unit/fake_stacks.h"

namespace tailback {
namespace {

using intercept::Function;
using std::chrono::milliseconds;

constexpr uint64_t kIdle = 0x401;
constexpr uint64_t kTask = 0x402;
constexpr uint64_t kHandedOn = 0x403;
// Of Rust's standard library: all its waits are made here.
constexpr uint64_t kFutexWait = 0x77;

class IdleWaitJudgeTest : public ::testing::Test {
 protected:
  IdleWaitJudgeTest() {
    fake_.stacks->frames[kIdle] =
        stack_of({"syscall", "std::sys::unix::futex::futex_wait",
                  "tokio::runtime::scheduler::multi_thread::park::Inner::park_condvar",
                  "tokio::runtime::scheduler::multi_thread::worker::Context::run"});
    fake_.stacks->frames[kTask] =
        stack_of({"syscall", "std::sys::unix::futex::futex_wait",
                  "std::sys::unix::locks::futex_mutex::Mutex::lock_contended", "app::handle",
                  "tokio::runtime::scheduler::multi_thread::worker::Context::run_task"});
    fake_.stacks->frames[kHandedOn] =
        stack_of({"clock_nanosleep", "app::convert",
                  "tokio::runtime::scheduler::multi_thread::worker::block_in_place", "app::handle",
                  "tokio::runtime::scheduler::multi_thread::worker::Context::run_task"});
  }

  static Sample futex_wait(uint64_t stack, uint64_t call_site = kFutexWait) {
    Sample sample;
    sample.source = Sample::Source::kRecord;
    sample.recorded.function = Function::syscall;
    sample.recorded.arguments[0] = SYS_futex;
    sample.recorded.arguments[2] = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;
    sample.recorded.call_site = call_site;
    sample.snapshot = snapshot_at(stack);
    return sample;
  }
  static Sample computing(uint64_t stack) {
    Sample sample;
    sample.source = Sample::Source::kHold;
    sample.held = true;
    sample.snapshot = snapshot_at(stack);
    return sample;
  }
  static void add(StallSeen& seen, Sample sample, int weight) {
    seen.samples.push_back(
        {std::make_shared<const Sample>(std::move(sample)), milliseconds(weight), {}});
  }
  static void add_calls(StallSeen& seen, uint64_t call_site, uint64_t count, int total) {
    seen.contributors.push_back(
        {Function::syscall, call_site, count, milliseconds(total), milliseconds(total)});
  }
  static StallSeen iteration(int length) {
    StallSeen seen;
    seen.pid = seen.tid = 100;
    seen.state = StallState::kEnded;
    seen.duration = milliseconds(length);
    seen.threshold = milliseconds(50);
    seen.sharing = LoopSharing::kServed;
    return seen;
  }

  FakeReader fake_;
  Verdicts verdicts_;
  IdleWaitJudge judge_{fake_.reader, verdicts_};
};

TEST_F(IdleWaitJudgeTest, IdleWait_LeavesNothing) {
  StallSeen seen = iteration(110);
  add(seen, futex_wait(kIdle), 100);
  add_calls(seen, kFutexWait, 1, 105);
  EXPECT_FALSE(judge_.without_idle_waits(seen));
}

TEST_F(IdleWaitJudgeTest, WaitOfTask_Stall) {
  StallSeen seen = iteration(110);
  add(seen, futex_wait(kTask), 100);
  add_calls(seen, kFutexWait, 1, 105);
  const auto rest = judge_.without_idle_waits(seen);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->duration, milliseconds(110));
  EXPECT_EQ(rest->samples.size(), 1u);
  EXPECT_EQ(rest->contributors.size(), 1u);
}

TEST_F(IdleWaitJudgeTest, BothAtOneCallSite_SampledIdleTimeOnly) {
  StallSeen seen = iteration(300);
  add(seen, futex_wait(kIdle), 100);
  add(seen, futex_wait(kTask), 190);
  add_calls(seen, kFutexWait, 2, 295);
  const auto rest = judge_.without_idle_waits(seen);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->duration, milliseconds(200));
  ASSERT_EQ(rest->samples.size(), 1u);
  EXPECT_EQ(rest->samples[0].weight, milliseconds(190));
  ASSERT_EQ(rest->contributors.size(), 1u) << "the sum is of both";
}

TEST_F(IdleWaitJudgeTest, BothAtOneCallSiteTaskShort_Nothing) {
  StallSeen seen = iteration(130);
  add(seen, futex_wait(kIdle), 100);
  add(seen, futex_wait(kTask), 20);
  add_calls(seen, kFutexWait, 2, 125);
  EXPECT_FALSE(judge_.without_idle_waits(seen));
}

// The sum says more exactly than the samples how long the idle waits were.
TEST_F(IdleWaitJudgeTest, OtherCallSite_SumsSubtracted) {
  StallSeen seen = iteration(300);
  add(seen, futex_wait(kIdle, 0x10), 80);
  add(seen, futex_wait(kTask, 0x20), 150);
  add_calls(seen, 0x10, 3, 130);
  add_calls(seen, 0x20, 1, 160);
  const auto rest = judge_.without_idle_waits(seen);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->duration, milliseconds(170));
  ASSERT_EQ(rest->contributors.size(), 1u);
  EXPECT_EQ(rest->contributors[0].call_site, 0x20u);
}

TEST_F(IdleWaitJudgeTest, EndedIteration_SumExactWeightNot) {
  StallSeen seen = iteration(160);
  add(seen, futex_wait(kTask, 0x20), 140);
  add(seen, futex_wait(kIdle, 0x10), 20);
  add_calls(seen, 0x10, 1, 10);
  add_calls(seen, 0x20, 1, 150);
  EXPECT_EQ(judge_.without_idle_waits(seen).value_or(StallSeen{}).duration, milliseconds(150));
  seen.state = StallState::kOngoing;
  EXPECT_EQ(judge_.without_idle_waits(seen).value_or(StallSeen{}).duration, milliseconds(140));
}

TEST_F(IdleWaitJudgeTest, BlockInPlace_IdleWhateverItDoes) {
  EXPECT_TRUE(judge_.is_idle(100, computing(kHandedOn), LoopSharing::kAlone));
  EXPECT_TRUE(judge_.is_idle(100, futex_wait(kHandedOn), LoopSharing::kAlone));
  EXPECT_FALSE(judge_.is_idle(100, computing(kTask), LoopSharing::kServed));
  EXPECT_FALSE(judge_.is_idle(100, computing(kIdle), LoopSharing::kServed));
}

TEST_F(IdleWaitJudgeTest, PoolWithoutKnownScheduler_ServedDecides) {
  fake_.stacks->frames[kTask] = stack_of({"pthread_cond_wait", "become_leader", "worker"});
  StallSeen seen = iteration(300);
  Sample sample = futex_wait(kTask);
  sample.recorded.function = Function::pthread_cond_wait;
  add(seen, sample, 290);
  EXPECT_FALSE(judge_.without_idle_waits(seen));
  seen.sharing = LoopSharing::kShared;
  ASSERT_TRUE(judge_.without_idle_waits(seen));
  seen.sharing = LoopSharing::kAlone;
  ASSERT_TRUE(judge_.without_idle_waits(seen));
}

TEST_F(IdleWaitJudgeTest, SleepInServedPool_Stall) {
  fake_.stacks->frames[kTask] = stack_of({"nanosleep", "handle_job", "worker"});
  StallSeen seen = iteration(300);
  Sample sample = futex_wait(kTask);
  sample.recorded.function = Function::nanosleep;
  add(seen, sample, 290);
  ASSERT_TRUE(judge_.without_idle_waits(seen));
}

TEST_F(IdleWaitJudgeTest, NoStack_NotIdle) {
  Sample sample = futex_wait(kIdle);
  sample.snapshot.reset();
  EXPECT_FALSE(judge_.is_idle(100, sample, LoopSharing::kServed));
}

}  // namespace
}  // namespace tailback
