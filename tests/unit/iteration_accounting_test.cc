// Where an iteration's time went, by counters that were read at other moments than its edges.
#include "runtime/loops/iteration_accounting.h"

#include <gtest/gtest.h>

namespace tailback {
namespace {

using std::chrono::milliseconds;

CounterGrowth growth(int on_cpu, int runnable, int throttled = 0) {
  CounterGrowth result;
  result.on_cpu = milliseconds(on_cpu);
  result.runnable = milliseconds(runnable);
  result.throttled = milliseconds(throttled);
  return result;
}

void expect_shares(const TimeSpent& spent, int on_cpu, int runnable, int blocked) {
  ASSERT_TRUE(spent.known);
  const auto within = [](Nanoseconds share, int expected) {
    return share - milliseconds(expected) < milliseconds(1) &&
           milliseconds(expected) - share < milliseconds(1);
  };
  EXPECT_TRUE(within(spent.on_cpu, on_cpu)) << spent.on_cpu.count();
  EXPECT_TRUE(within(spent.runnable, runnable)) << spent.runnable.count();
  EXPECT_TRUE(within(spent.blocked, blocked)) << spent.blocked.count();
}

TEST(ShareOut, NoSamples_Unknown) {
  EXPECT_FALSE(share_out({}, {}, {}, milliseconds(100)).known);
  EXPECT_FALSE(share_out(growth(1, 1), milliseconds(100), {}, {}).known);
  EXPECT_FALSE(share_out({}, milliseconds(-5), {}, milliseconds(100)).known);
}

TEST(ShareOut, Unsampled_ScaledFromSamples) {
  expect_shares(share_out(growth(0, 0), milliseconds(75), {}, milliseconds(100)), 0, 0, 100);
  expect_shares(share_out(growth(30, 15), milliseconds(75), {}, milliseconds(100)), 40, 20, 40);
}

TEST(ShareOut, PartlySampled_UnseenShare) {
  EXPECT_EQ(share_out(growth(0, 0), milliseconds(75), {}, milliseconds(100)).unseen,
            milliseconds(25));
  EXPECT_EQ(share_out(growth(20, 100), milliseconds(75), {}, milliseconds(100)).unseen,
            milliseconds(0));
}

TEST(ShareOut, WaitBeforeFirstSample_CountedOnce) {
  expect_shares(share_out(growth(20, 980), milliseconds(975), {}, milliseconds(1000)), 20, 980, 0);
}

TEST(ShareOut, LateLastSample_NothingLost) {
  // 130 ms after the iteration's end: the thread has waited for events meanwhile.
  expect_shares(share_out(growth(15, 960), milliseconds(975), {}, milliseconds(1000)), 15, 985, 0);
  // It has worked on: more than the iteration can hold.
  expect_shares(share_out(growth(220, 980), milliseconds(975), {}, milliseconds(1000)), 183, 817,
                0);
}

TEST(ShareOut, CountersWentBack_Zero) {
  expect_shares(share_out(growth(-5, -7), milliseconds(100), {}, milliseconds(100)), 0, 0, 100);
}

TEST(ShareOut, Throttled_PartOfRunQueueWait) {
  const auto throttled = [](int runnable, int counted) {
    return share_out(growth(100 - runnable, runnable, counted), milliseconds(100), {},
                     milliseconds(100))
        .throttled;
  };
  EXPECT_EQ(throttled(80, 0), milliseconds(0));
  EXPECT_EQ(throttled(80, 60), milliseconds(60));
  EXPECT_EQ(throttled(80, 160), milliseconds(80));  // on several CPUs at once
  EXPECT_EQ(throttled(0, 60), milliseconds(0));     // others of the group
}

TEST(ShareOut, PageFaults_PartOfBlocked) {
  EXPECT_EQ(
      share_out(growth(10, 0), milliseconds(100), milliseconds(50), milliseconds(100)).in_faults,
      milliseconds(50));
  EXPECT_EQ(
      share_out(growth(60, 0), milliseconds(100), milliseconds(50), milliseconds(100)).in_faults,
      milliseconds(40));
}

TEST(ShareOut, KernelTime_FromClockTicks) {
  CounterGrowth ticks = growth(80, 0);
  EXPECT_EQ(share_out(ticks, milliseconds(100), {}, milliseconds(100)).in_kernel, milliseconds(0));
  ticks.user_ticks = 6;
  ticks.system_ticks = 2;
  EXPECT_EQ(share_out(ticks, milliseconds(100), {}, milliseconds(100)).in_kernel, milliseconds(20));
}

}  // namespace
}  // namespace tailback
