// Scopes that are allowed to block: what the recorder makes of them.
#include "instrument/recorder/allowance.h"

#include <gtest/gtest.h>

#include <optional>

#include "instrument/recorder/wait_sites.h"
#include "runtime/segment/segment_ring.h"
#include "tests/unit/private_recorder.h"

namespace tailback {
namespace {

using contract::Event;
using contract::EventKind;

constexpr uint64_t kThreshold = 100;

__attribute__((noinline)) void wait_at(uint64_t key) {
  CallScope scope(0x1000, Function::epoll_wait, 5);
  IterationBoundary boundary;
  boundary.enter(scope, Function::epoll_wait, key, 0x1000);
  advance_ticks(10);
  boundary.leave(scope, 1);
}

__attribute__((noinline)) void call(uint64_t length) {
  CallScope scope(0x2000, Function::read, 3);
  advance_ticks(length);
}

class AllowanceTest : public ::testing::Test {
 protected:
  AllowanceTest() {
    set_ticks(1000);
    segment_->header.threshold_ticks.store(kThreshold);
  }

  // As annotations.cc has it.
  __attribute__((noinline)) void begin() {
    begin_allowed_scope(segment_.record(), reinterpret_cast<uint64_t>(__builtin_dwarf_cfa()));
  }
  void end() { end_allowed_scope(segment_.record()); }
  bool open() const { return blocking_is_allowed(segment_.record()); }

  // The next long iteration.
  Event iteration() {
    while (const auto event = ring_.next()) {
      if (event->kind == static_cast<uint32_t>(EventKind::kIteration)) return *event;
    }
    ADD_FAILURE() << "no long iteration";
    return {};
  }

  const uint64_t loop_ = descriptor_wait_key(5);
  PrivateSegment segment_;
  SegmentRing ring_{*segment_};
};

TEST_F(AllowanceTest, NoScope_NothingAllowed) {
  wait_at(loop_);
  advance_ticks(300);
  wait_at(loop_);
  EXPECT_EQ(iteration().allowed_ticks, 0u);
}

TEST_F(AllowanceTest, SeveralScopes_TimeSummed) {
  wait_at(loop_);
  for (int i = 0; i < 2; ++i) {
    advance_ticks(100);
    begin();
    advance_ticks(40);
    end();
  }
  wait_at(loop_);
  EXPECT_EQ(iteration().allowed_ticks, 80u);
  advance_ticks(150);
  wait_at(loop_);
  EXPECT_EQ(iteration().allowed_ticks, 0u);
}

TEST_F(AllowanceTest, NestedScopes_OutermostCounts) {
  wait_at(loop_);
  begin();
  begin();
  advance_ticks(50);
  end();
  EXPECT_TRUE(open());
  advance_ticks(30);
  end();
  EXPECT_FALSE(open());
  end();
  end();
  advance_ticks(100);
  begin();
  EXPECT_TRUE(open());
  end();
  wait_at(loop_);
  EXPECT_EQ(iteration().allowed_ticks, 80u);
}

TEST_F(AllowanceTest, CallsInScope_NotSummed) {
  wait_at(loop_);
  begin();
  call(500);
  end();
  call(30);
  wait_at(loop_);
  const Event event = iteration();
  EXPECT_EQ(event.contributors[0].count, 1u);
  EXPECT_EQ(event.contributors[0].total_ticks, 30u);
  EXPECT_EQ(event.contributors[1].count, 0u);
}

TEST_F(AllowanceTest, AbandonedScope_EndsAtNextWait) {
  wait_at(loop_);
  deeper([&] { begin(); });  // and no end: longjmp
  advance_ticks(150);
  wait_at(loop_);
  EXPECT_EQ(iteration().allowed_ticks, 150u);
  EXPECT_FALSE(open());
  advance_ticks(150);
  wait_at(loop_);
  EXPECT_EQ(iteration().allowed_ticks, 0u);
}

TEST_F(AllowanceTest, NestedLoop_ScopeStaysOpen) {
  const uint64_t inner = descriptor_wait_key(6);
  wait_at(loop_);
  advance_ticks(20);
  begin();
  deeper([&] {
    advance_ticks(200);
    wait_at(inner);  // 10 in the wait
    EXPECT_TRUE(open());
    advance_ticks(120);
    wait_at(inner);
    EXPECT_EQ(iteration().allowed_ticks, 120u);
  });
  end();
  wait_at(loop_);
  EXPECT_EQ(iteration().allowed_ticks, 200u + 120u + 2 * 10u);
}

TEST_F(AllowanceTest, ScopeFromBeforeIteration_CountsFromIterationBegin) {
  deeper([&] {
    begin();
    deeper([&] {
      wait_at(loop_);
      advance_ticks(150);
      wait_at(loop_);
    });
    EXPECT_EQ(iteration().allowed_ticks, 150u);
    end();
  });
}

}  // namespace
}  // namespace tailback
