// The call that a record shows: nested by signal handlers, left behind by longjmp.
#include <gtest/gtest.h>
#include <setjmp.h>

#include <cstring>

#include "instrument/recorder/call_scope.h"
#include "tests/unit/private_recorder.h"

namespace tailback {
namespace {

using contract::Call;

// A call as a plain value.
struct CallCopy {
  uint32_t function;
  uint64_t entered;
  uint64_t arguments[contract::kArguments];
  uint64_t call_site;
  contract::Context context;
};

CallCopy copy_of(const Call& call) {
  CallCopy copy{};
  copy.function = call.function.load();
  copy.entered = call.entered.load();
  std::memcpy(copy.arguments, call.arguments, sizeof copy.arguments);
  copy.call_site = call.call_site;
  copy.context = call.context;
  return copy;
}

bool same(const CallCopy& a, const CallCopy& b) {
  return a.function == b.function && a.entered == b.entered && a.call_site == b.call_site &&
         std::memcmp(a.arguments, b.arguments, sizeof a.arguments) == 0 &&
         std::memcmp(&a.context, &b.context, sizeof a.context) == 0;
}

constexpr uint32_t word_of(Function function) {
  return static_cast<uint32_t>(function);
}

// An interceptor; `inside` runs where the real call would.
template <typename Inside>
__attribute__((noinline)) void call(Function function, uint64_t call_site, uint64_t argument,
                                    Inside inside) {
  CallScope scope(call_site, function, argument);
  inside();
}

class CallScopeTest : public ::testing::Test {
 protected:
  CallScopeTest() {
    set_ticks(500);
    segment_.record().sites.store(1);  // a thread that waits for events: its calls are timed
  }
  const Call& shown() const { return segment_.record().call; }

  PrivateSegment segment_;
};

TEST_F(CallScopeTest, OutsideCall_NothingPublished) {
  EXPECT_EQ(shown().function.load(), 0u);
  call(Function::read, 0x10, 1, [] {});
  EXPECT_EQ(shown().function.load(), 0u);
}

TEST_F(CallScopeTest, InCall_Published) {
  int marker = 0;
  call(Function::read, 0x1234, 42, [&] {
    EXPECT_EQ(shown().function.load(), word_of(Function::read));
    EXPECT_EQ(shown().entered.load(), 500u);
    EXPECT_EQ(shown().arguments[0], 42u);
    EXPECT_EQ(shown().call_site, 0x1234u);
    // The stack pointer is that of the interceptor: between this lambda and the test.
    EXPECT_LT(shown().context.stack_pointer, reinterpret_cast<uint64_t>(&marker));
    EXPECT_GT(shown().context.stack_pointer, reinterpret_cast<uint64_t>(&marker) - 4096);
    EXPECT_NE(shown().context.instruction_pointer, 0u);
  });
}

TEST_F(CallScopeTest, ThreadWithoutLoop_OnlyLocksAndWaitsTimed) {
  segment_.record().sites.store(0);
  segment_.record().call.entered.store(70);
  call(Function::read, 1, 1, [&] { EXPECT_EQ(shown().entered.load(), 71u); });
  call(Function::read, 1, 1, [&] { EXPECT_EQ(shown().entered.load(), 72u); });
  call(Function::pthread_mutex_lock, 1, 1, [&] { EXPECT_EQ(shown().entered.load(), 500u); });
  call(Function::read, 1, 1, [&] { EXPECT_EQ(shown().entered.load(), 501u); });
  call(Function::poll, 1, 1, [&] { EXPECT_EQ(shown().entered.load(), 500u); });
}

TEST_F(CallScopeTest, Arguments_SignKeptSurplusDropped) {
  const auto many = [&]() __attribute__((noinline)) {
    CallScope scope(1, Function::recvfrom, -1, 2u, &segment_, 4, 5, 6, 7, 8);
    EXPECT_EQ(shown().arguments[0], UINT64_MAX);
    EXPECT_EQ(shown().arguments[2], reinterpret_cast<uint64_t>(&segment_));
    EXPECT_EQ(shown().arguments[5], 6u);
    EXPECT_EQ(shown().call_site, 1u);
  };
  many();
}

TEST_F(CallScopeTest, Errno_Unchanged) {
  errno = EXDEV;
  call(Function::read, 0x10, 1, [] {});
  EXPECT_EQ(errno, EXDEV);
}

TEST_F(CallScopeTest, CallInHandler_OuterRestored) {
  call(Function::read, 0x10, 7, [&] {
    const CallCopy before = copy_of(shown());
    advance_ticks(100);
    deeper([&] {
      call(Function::write, 0x20, 8, [&] {
        EXPECT_EQ(shown().function.load(), word_of(Function::write));
        EXPECT_EQ(shown().entered.load(), 600u);
        EXPECT_EQ(shown().arguments[0], 8u);
      });
    });
    EXPECT_TRUE(same(copy_of(shown()), before));
  });
  EXPECT_EQ(shown().function.load(), 0u);
}

TEST_F(CallScopeTest, NestedHandlers_RestoredInOrder) {
  call(Function::read, 0x10, 1, [&] {
    const CallCopy first = copy_of(shown());
    deeper([&] {
      call(Function::write, 0x20, 2, [&] {
        const CallCopy second = copy_of(shown());
        deeper([&] {
          call(Function::fsync, 0x30, 3, [] {});
          call(Function::poll, 0x40, 4, [] {});
        });
        EXPECT_TRUE(same(copy_of(shown()), second));
      });
    });
    EXPECT_TRUE(same(copy_of(shown()), first));
  });
}

// Leaves a call the way longjmp out of a signal handler does: its end never runs.
template <typename Enter>
__attribute__((noinline)) void leave_behind(Enter enter) {
  jmp_buf back;
  if (setjmp(back) == 0) enter([&] { longjmp(back, 1); });
}

TEST_F(CallScopeTest, LongjmpThenShallowerCall_Dropped) {
  leave_behind([&](auto jump) { deeper([&] { call(Function::read, 0x10, 1, jump); }); });
  ASSERT_EQ(shown().function.load(), word_of(Function::read));
  advance_ticks(10);
  call(Function::write, 0x20, 2,
       [&] { EXPECT_EQ(shown().function.load(), word_of(Function::write)); });
  EXPECT_EQ(shown().function.load(), 0u);
}

// A read with a time limit, as old programs have it: SIGALRM's handler jumps out, and the program
// reads again from the same place.
TEST_F(CallScopeTest, LongjmpThenSameDepthCall_Dropped) {
  const auto read_again = [](auto inside) { call(Function::read, 0x10, 1, inside); };
  leave_behind(read_again);
  ASSERT_EQ(shown().function.load(), word_of(Function::read));
  leave_behind(read_again);
  leave_behind([&](auto) { read_again([] {}); });
  EXPECT_EQ(shown().function.load(), 0u);
}

TEST_F(CallScopeTest, PauseBeforeCall_NotTakenForInterruption) {
  const auto interrupted = [&](bool by_pause) __attribute__((noinline)) {
    segment_.record().pauses.fetch_add(1);  // before the call: means nothing
    CallScope scope(1, Function::read, 3);
    if (by_pause) segment_.record().pauses.fetch_add(1);
    errno = EINTR;
    EXPECT_EQ(scope.interrupted_by_pause(ssize_t{-1}), by_pause);
    EXPECT_FALSE(scope.interrupted_by_pause(ssize_t{5}));
    errno = EAGAIN;
    EXPECT_FALSE(scope.interrupted_by_pause(ssize_t{-1}));
  };
  interrupted(false);
  interrupted(true);
}

TEST_F(CallScopeTest, NoRecord_CallsPass) {
  pretend_fork();
  call(Function::read, 0x10, 1, [&] { EXPECT_EQ(shown().function.load(), 0u); });
  EXPECT_EQ(shown().function.load(), 0u);
}

}  // namespace
}  // namespace tailback
