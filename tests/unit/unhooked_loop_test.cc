// Loops told from where the kernel shows a thread to be blocked: what is one, and when it is away.
#include "runtime/loops/unhooked_loop.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

namespace tailback {
namespace {

using intercept::Function;

KernelCall call_of(long number, uint64_t stack_pointer = 0x1000) {
  KernelCall call;
  call.number = number;
  call.arguments = {5, 1, 1, 1, 0, 0};
  call.stack_pointer = stack_pointer;
  call.instruction_pointer = 0x400000;
  return call;
}

const KernelCall kHome = call_of(SYS_epoll_wait);
const KernelCall kSleep = call_of(SYS_nanosleep, 0x800);

// A loop that was found after so many waits.
UnhookedLoop found_loop(uint64_t switches = 1000) {
  UnhookedLoop loop;
  for (uint64_t i = 0; i <= 5; ++i) loop.survey(kHome, 10 + i * switches / 5);
  EXPECT_TRUE(loop.is_loop());
  return loop;
}

TEST(WaitPlace, OtherCall_Nothing) {
  EXPECT_FALSE(wait_place(kSleep));
  EXPECT_FALSE(wait_place(call_of(SYS_futex)));
  const auto epoll = wait_place(kHome);
  ASSERT_TRUE(epoll);
  EXPECT_EQ(epoll->function, Function::epoll_wait);
  EXPECT_EQ(epoll->fd, 5);
  EXPECT_EQ(epoll->stack_pointer, 0x1000u);
  ASSERT_TRUE(wait_place(call_of(SYS_poll)));
  EXPECT_EQ(wait_place(call_of(SYS_poll))->fd, -1);
}

TEST(WaitPlace, PollOfNothing_NoWait) {
  KernelCall poll = call_of(SYS_ppoll);
  poll.arguments[1] = 0;
  EXPECT_FALSE(wait_place(poll));
  KernelCall select = call_of(SYS_select);
  select.arguments[0] = 0;
  EXPECT_FALSE(wait_place(select));
}

TEST(WaitPlace, RingEnter_WaitOnlyWithCompletions) {
  KernelCall ring = call_of(SYS_io_uring_enter);
  ASSERT_TRUE(wait_place(ring));
  EXPECT_EQ(wait_place(ring)->fd, 5);
  ring.arguments[3] = 1 | 16;  // by its index
  EXPECT_EQ(wait_place(ring)->fd, -1);
  ring.arguments[3] = 0;
  EXPECT_FALSE(wait_place(ring));
  ring.arguments = {5, 1, 0, 1, 0, 0};
  EXPECT_FALSE(wait_place(ring));
}

TEST(UnhookedLoop, SeveralSamplesOnePlace_Loop) {
  UnhookedLoop loop;
  EXPECT_FALSE(loop.is_candidate());
  for (uint64_t i = 0; i < 4; ++i) {
    loop.survey(kHome, 10 + i);
    EXPECT_TRUE(loop.is_candidate());
    EXPECT_FALSE(loop.is_loop()) << i;
  }
  loop.survey(kHome, 20);
  EXPECT_TRUE(loop.is_loop());
  EXPECT_EQ(loop.home(), wait_place(kHome));
}

TEST(UnhookedLoop, OneLongWait_NoLoop) {
  UnhookedLoop loop;
  for (int i = 0; i < 100; ++i) loop.survey(kHome, 10);
  EXPECT_FALSE(loop.is_loop());
}

TEST(UnhookedLoop, BlockedElsewhereToo_NoLoop) {
  for (const KernelCall& elsewhere :
       {kSleep, call_of(SYS_futex), call_of(SYS_epoll_wait, 0x2000)}) {
    UnhookedLoop loop;
    for (uint64_t i = 0; i < 100; ++i) loop.survey(i % 4 == 3 ? elsewhere : kHome, 10 + i);
    EXPECT_FALSE(loop.is_loop()) << elsewhere.number;
  }
}

TEST(UnhookedLoop, RunningSample_Ignored) {
  UnhookedLoop loop;
  for (uint64_t i = 0; i < 10; ++i) {
    loop.survey(kHome, 10 + i);
    loop.survey(std::nullopt, 10 + i);
  }
  EXPECT_TRUE(loop.is_loop());
}

TEST(UnhookedLoop, LongAtOtherPlace_Ended) {
  UnhookedLoop loop = found_loop();
  const KernelCall other = call_of(SYS_epoll_wait, 0x2000);
  for (uint64_t i = 0; i < 3; ++i) loop.survey(other, 2000 + i);
  EXPECT_TRUE(loop.is_loop());
  for (uint64_t i = 0; i < 3; ++i) loop.survey(other, 2010 + i);
  EXPECT_FALSE(loop.is_loop());
  EXPECT_EQ(loop.home(), wait_place(other));
}

TEST(UnhookedLoop, InOneCall_Away) {
  UnhookedLoop loop = found_loop();
  loop.look(100, kHome, 0);
  EXPECT_FALSE(loop.away());
  loop.look(110, kSleep, 2000);
  loop.look(120, kSleep, 2000);
  loop.look(130, kSleep, 2000);
  ASSERT_TRUE(loop.away());
  EXPECT_EQ(loop.away()->before, 100u);
  EXPECT_EQ(loop.away()->since, 110u);
  EXPECT_EQ(loop.away()->until, 130u);
  EXPECT_EQ(loop.away()->stack_pointer, kSleep.stack_pointer);
  loop.look(140, kHome, 0);
  EXPECT_FALSE(loop.away());
}

// Each wait that it came back to and blocked in is a switch of its own.
TEST(UnhookedLoop, BlockedAgain_MayHaveBeenBack) {
  UnhookedLoop loop = found_loop();
  loop.look(100, kHome, 0);
  for (uint64_t i = 1; i < 10; ++i) {
    loop.look(100 + 10 * i, kSleep, 2000 + 2 * i);
    ASSERT_TRUE(loop.away());
    EXPECT_EQ(loop.away()->since, loop.away()->until);
  }
}

TEST(UnhookedLoop, OtherCall_OtherAbsence) {
  UnhookedLoop loop = found_loop();
  loop.look(110, kSleep, 2000);
  loop.look(120, call_of(SYS_read, 0x800), 2000);
  ASSERT_TRUE(loop.away());
  EXPECT_EQ(loop.away()->since, 120u);
  KernelCall other_argument = call_of(SYS_read, 0x800);
  other_argument.arguments[0] = 9;
  loop.look(130, other_argument, 2000);
  EXPECT_EQ(loop.away()->since, 130u);
}

TEST(UnhookedLoop, WhileRunning_PlaceUnknown) {
  UnhookedLoop loop = found_loop();
  loop.look(110, kSleep, 2000);
  loop.look(120, std::nullopt, 0);
  EXPECT_FALSE(loop.away());
  loop.look(130, kSleep, 2000);
  EXPECT_EQ(loop.away()->since, 130u);
}

TEST(UnhookedLoop, FewStallsAmongWaits_StillLoop) {
  UnhookedLoop few_waits = found_loop(10);
  EXPECT_FALSE(few_waits.allows_another_stall());
  UnhookedLoop loop = found_loop(40);
  EXPECT_TRUE(loop.allows_another_stall());
  EXPECT_TRUE(loop.allows_another_stall());
  EXPECT_FALSE(loop.allows_another_stall());
}

}  // namespace
}  // namespace tailback
