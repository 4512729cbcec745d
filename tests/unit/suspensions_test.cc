// A suspended machine, by clocks that are made up.
#include "runtime/loops/suspensions.h"

#include <gtest/gtest.h>

#include "runtime/kernel/kernel_view.h"

namespace tailback {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SuspensionsTest : public ::testing::Test {
 protected:
  // One tick is a millisecond. `ticking`: the ticks go on while the machine is suspended.
  std::optional<Nanoseconds> look_after(milliseconds ran, milliseconds suspended,
                                        bool ticking = true) {
    now_.without_suspension += ran;
    now_.with_suspension += ran + suspended;
    const milliseconds ticked = ticking ? ran + suspended : ran;
    tick_ += static_cast<uint64_t>(ticked.count());
    return suspensions_.look(tick_, ticked);
  }

  MachineClocks now_{seconds(500), seconds(400)};
  bool readable_ = true;
  uint64_t tick_ = 1000;
  Suspensions suspensions_{[this] { return readable_ ? std::optional(now_) : std::nullopt; }};
};

TEST_F(SuspensionsTest, BeforeFirstPoll_Ignored) {
  EXPECT_FALSE(look_after(milliseconds(20), seconds(3)));
  EXPECT_FALSE(suspensions_.any());
}

TEST_F(SuspensionsTest, RunningMachine_NotSuspended) {
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(look_after(milliseconds(20 + i), milliseconds(0)));
  EXPECT_FALSE(look_after(seconds(5), milliseconds(1)));  // stopped or starved, and imprecise
  EXPECT_FALSE(suspensions_.any());
  EXPECT_EQ(suspensions_.within(0, UINT64_MAX), milliseconds(0));
}

TEST_F(SuspensionsTest, Suspension_ReportedOnceAndSubtracted) {
  look_after(milliseconds(20), milliseconds(0));  // tick 1020
  EXPECT_EQ(look_after(milliseconds(20), seconds(3)), seconds(3));
  EXPECT_FALSE(look_after(milliseconds(20), milliseconds(0)));  // tick 4060
  EXPECT_TRUE(suspensions_.any());
  EXPECT_EQ(suspensions_.within(1010, 4060), seconds(3));
  EXPECT_EQ(suspensions_.within(1000, 1015), milliseconds(0));
  EXPECT_EQ(suspensions_.within(4050, 4060), milliseconds(0));
}

TEST_F(SuspensionsTest, TicksStoodStill_NothingSubtracted) {
  look_after(milliseconds(20), milliseconds(0));
  EXPECT_EQ(look_after(milliseconds(20), seconds(3), false), seconds(3));
  EXPECT_EQ(suspensions_.within(0, UINT64_MAX), milliseconds(0));
}

TEST_F(SuspensionsTest, FailedReading_NextMakesUp) {
  look_after(milliseconds(20), milliseconds(0));
  readable_ = false;
  EXPECT_FALSE(look_after(milliseconds(20), seconds(2)));
  readable_ = true;
  EXPECT_EQ(look_after(milliseconds(20), milliseconds(0)), seconds(2));
  EXPECT_EQ(suspensions_.within(1010, tick_), seconds(2));
}

TEST(SuspensionClocks, BothClocks_ReadTogether) {
  const auto clocks = read_machine_clocks();
  ASSERT_TRUE(clocks);
  EXPECT_GE(clocks->with_suspension + milliseconds(1), clocks->without_suspension);
}

}  // namespace
}  // namespace tailback
