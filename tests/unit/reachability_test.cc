// Where control can get to, in functions that the compiler has made of these.
#include "runtime/control_flow/reachability.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csetjmp>
#include <cstdlib>
#include <string>

#include "runtime/capture/module_files.h"
#include "runtime/control_flow/function_range.h"
#include "runtime/control_flow/second_returns.h"

namespace tailback {
namespace {

constexpr size_t kMarks = 8;
std::array<uint64_t, kMarks> returns_to;
volatile int zero = 0;

// Each function tells so where its calls return to.
[[gnu::noinline]] int mark(size_t number) {
  returns_to[number] = reinterpret_cast<uint64_t>(__builtin_return_address(0));
  return zero;
}
[[gnu::noinline]] int other_mark(size_t number) {
  returns_to[number] = reinterpret_cast<uint64_t>(__builtin_return_address(0));
  return zero;
}

[[gnu::noinline]] void loop_and_work() {
  for (int i = 0; i < 3 + zero; ++i) {
    mark(0);
    mark(1);
  }
  other_mark(2);
  for (int i = 0; i < 3 + zero; ++i) other_mark(3);
  asm volatile("");
}

[[gnu::noinline]] void nested_loops() {
  for (int i = 0; i < 2 + zero; ++i) {
    other_mark(0);
    for (int j = 0; j < 2 + zero; ++j) mark(1);
    other_mark(2);
  }
  other_mark(3);
  asm volatile("");
}

[[gnu::noinline]] void same_call_twice() {
  mark(0);
  other_mark(1);
  mark(2);
  asm volatile("");
}

[[gnu::noinline]] int jump_table(int kind) {
  mark(0);
  switch (kind + zero) {
    case 0:
      return mark(1) + 1;
    case 1:
      return other_mark(2) * 3;
    case 2:
      return mark(3) - 2;
    case 3:
      return other_mark(4) / 7;
    case 4:
      return mark(5) ^ 5;
    case 5:
      return other_mark(6) | 64;
    default:
      return 0;
  }
}

[[noreturn, gnu::noinline]] void leave() {
  _exit(0);
}

// The call that does not return is the last instruction.
[[gnu::noinline]] void ends_in_a_call() {
  mark(0);
  other_mark(1);
  if (zero == 0) return;
  other_mark(2);
  leave();
}

[[gnu::noinline, gnu::cold]] void complain() {
  other_mark(7);
}

// What is unlikely stands in a part of its own, and comes back from there.
[[gnu::noinline]] void cold_part() {
  for (int i = 0; i < 3 + zero; ++i) {
    mark(0);
    if (__builtin_expect(zero == 0, 0)) {
      other_mark(1);
      complain();
      continue;
    }
    other_mark(2);
  }
  other_mark(3);
  asm volatile("");
}

[[gnu::noinline]] void one_by_register(int (*function)(size_t)) {
  mark(0);
  other_mark(1);
  function(2);
  asm volatile("");
}

class ReachabilityTest : public ::testing::Test {
 protected:
  void SetUp() override {
#if !defined(__x86_64__)
    GTEST_SKIP() << "code of x86-64 only is read";
#endif
    returns_to = {};
    const auto modules = ModuleMap::read(::getpid());
    ASSERT_TRUE(modules);
    const auto place =
        files_.locate(::getpid(), *modules, RemoteAddress(reinterpret_cast<uint64_t>(&mark)));
    ASSERT_TRUE(place);
    image_ = place->image;
    bias_ = place->bias;
  }

  uint64_t at(size_t number) const {
    return returns_to[number] - bias_;
  }
  Reach of_call(size_t from, size_t call) {
    return reachability_.of_call(*image_, {at(from), true}, at(call));
  }
  Reach of_call_like(size_t from, size_t call) {
    return reachability_.of_call_like(*image_, {at(from), true}, at(call));
  }
  Reach of_call_that_may_be_like(size_t from, size_t call) {
    return reachability_.of_call_that_may_be_like(*image_, {at(from), true}, at(call));
  }
  Reach of_itself(size_t from) {
    return reachability_.of_itself(*image_, {at(from), true});
  }

  ModuleFiles files_;
  std::shared_ptr<ModuleImage> image_;
  uint64_t bias_ = 0;
  Reachability reachability_;
};

TEST_F(ReachabilityTest, LoopBodyReachable_CodeAfterNot) {
  loop_and_work();
  EXPECT_EQ(of_call(0, 0), Reach::kYes);
  EXPECT_EQ(of_call(1, 0), Reach::kYes);
  EXPECT_EQ(of_call(0, 1), Reach::kYes);
  EXPECT_EQ(of_call(1, 2), Reach::kYes);
  EXPECT_EQ(of_call(2, 0), Reach::kNo);
  EXPECT_EQ(of_call(2, 1), Reach::kNo);
  EXPECT_EQ(of_call(3, 0), Reach::kNo);
  EXPECT_EQ(of_itself(0), Reach::kYes);
  EXPECT_EQ(of_itself(2), Reach::kNo);
  EXPECT_EQ(of_itself(3), Reach::kYes);
}

TEST_F(ReachabilityTest, OuterLoop_ReachesInner) {
  nested_loops();
  EXPECT_EQ(of_call(1, 1), Reach::kYes);
  EXPECT_EQ(of_call(2, 1), Reach::kYes);
  EXPECT_EQ(of_call(2, 0), Reach::kYes);
  EXPECT_EQ(of_call(3, 0), Reach::kNo);
  EXPECT_EQ(of_call(3, 1), Reach::kNo);
}

TEST_F(ReachabilityTest, SameCallee_LikeCall) {
  same_call_twice();
  EXPECT_EQ(of_call(0, 0), Reach::kNo);
  EXPECT_EQ(of_call_like(0, 0), Reach::kYes);
  EXPECT_EQ(of_call_like(1, 0), Reach::kYes);
  EXPECT_EQ(of_call_like(2, 0), Reach::kNo);
  EXPECT_EQ(of_call_like(1, 1), Reach::kNo);
}

TEST_F(ReachabilityTest, IndirectCall_AnyFunction) {
  one_by_register(zero == 0 ? mark : other_mark);
  EXPECT_EQ(of_call_like(1, 0), Reach::kNo);
  EXPECT_EQ(of_call_that_may_be_like(1, 0), Reach::kYes);
  EXPECT_EQ(of_call_like(1, 2), Reach::kYes);
  EXPECT_EQ(of_call_that_may_be_like(2, 0), Reach::kNo);
}

TEST_F(ReachabilityTest, JumpTable_Anywhere) {
  jump_table(1);
  EXPECT_EQ(of_call(0, 0), Reach::kUnknown);
  EXPECT_EQ(of_call(2, 0), Reach::kNo);  // behind it
}

TEST_F(ReachabilityTest, TailCall_DoesNotReturn) {
  ends_in_a_call();
  EXPECT_EQ(of_call(0, 1), Reach::kYes);
  EXPECT_EQ(of_call(1, 0), Reach::kNo);
  const auto range = function_range(*image_, at(0));
  ASSERT_TRUE(range);
  EXPECT_EQ(reachability_.of_call(*image_, {range->end, true}, at(0)), Reach::kNo);
}

TEST_F(ReachabilityTest, ColdPart_FollowedBothWays) {
  zero = 1;  // first one that goes the usual way, to learn where all is
  cold_part();
  zero = 0;
  cold_part();
  ASSERT_NE(returns_to[1], 0u);
  ASSERT_NE(returns_to[2], 0u);
  EXPECT_EQ(of_call(0, 1), Reach::kYes);
  EXPECT_EQ(of_call(1, 0), Reach::kYes);
  EXPECT_EQ(of_call(1, 2), Reach::kYes);
  EXPECT_EQ(of_call(3, 0), Reach::kNo);
  EXPECT_EQ(of_call(3, 1), Reach::kNo);
}

TEST_F(ReachabilityTest, Functions_RangesFound) {
  loop_and_work();
  const auto begin = reinterpret_cast<uint64_t>(&loop_and_work) - bias_;
  const auto range = function_range(*image_, at(0));
  ASSERT_TRUE(range);
  EXPECT_EQ(range->begin, begin);
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(range->contains(at(i) - 1)) << i;
  EXPECT_FALSE(range->contains(reinterpret_cast<uint64_t>(&mark) - bias_));
  EXPECT_FALSE(function_range(*image_, 1));
  EXPECT_FALSE(function_range(*image_, UINT64_MAX - 8));
}

TEST_F(ReachabilityTest, NotCode_Unknown) {
  EXPECT_EQ(reachability_.of_call(*image_, {1, false}, 5), Reach::kUnknown);
  EXPECT_EQ(reachability_.of_itself(*image_, {UINT64_MAX, true}), Reach::kUnknown);
  loop_and_work();
  EXPECT_EQ(reachability_.of_call_like(*image_, {at(2), true}, at(0) - 1), Reach::kUnknown);
}

TEST_F(ReachabilityTest, Setjmp_MayReturnTwice) {
  std::jmp_buf place;
  if (zero != 0 && setjmp(place) == 0) abort();
  EXPECT_TRUE(may_return_twice(*image_));
  const int fd = ::open("/bin/cat", O_RDONLY | O_CLOEXEC);
  const auto cat = ModuleImage::from_file(fd);
  ASSERT_NE(cat, nullptr);
  EXPECT_FALSE(may_return_twice(*cat));
}

}  // namespace
}  // namespace tailback
