// What the recorder makes of the waits at which a pool's worker has no work.
#include <gtest/gtest.h>

#include <vector>

#include "instrument/recorder/wait_sites.h"
#include "runtime/segment/segment_ring.h"
#include "tests/unit/private_recorder.h"

namespace tailback {
namespace {

constexpr uint64_t kThreshold = 100;
constexpr uint64_t kIdleWaitSite = 0x2000;

__attribute__((noinline)) void wait_for_events() {
  CallScope scope(0x1000, Function::epoll_wait, 5);
  IterationBoundary boundary;
  boundary.enter(scope, Function::epoll_wait, descriptor_wait_key(5), 0x1000);
  advance_ticks(10);
  boundary.leave(scope, 1);
}

class IdleWaitIterationsTest : public ::testing::Test {
 protected:
  IdleWaitIterationsTest() {
    set_ticks(1000);
    segment_->header.threshold_ticks.store(kThreshold);
  }

  __attribute__((noinline)) void wait(uint64_t length, bool make_known = false) {
    CallScope scope(kIdleWaitSite, Function::pthread_cond_wait, 1, 2);
    if (make_known) {
      contract::IdleWait& park = segment_.record().idle_waits[0];
      park.stack_pointer.store(segment_.record().call.context.stack_pointer);
      park.call_site.store(kIdleWaitSite);
    }
    advance_ticks(length);
  }

  std::vector<contract::Event> events() {
    std::vector<contract::Event> all;
    while (auto event = ring_.next()) all.push_back(*event);
    return all;
  }

  PrivateSegment segment_;
  SegmentRing ring_{*segment_};
};

TEST_F(IdleWaitIterationsTest, WaitElsewhere_PartOfIteration) {
  wait_for_events();
  wait(500);
  wait_for_events();
  ASSERT_EQ(events().size(), 2u);  // the iteration, and what waited after it
}

TEST_F(IdleWaitIterationsTest, IdleWait_NotPartOfIteration) {
  wait_for_events();
  wait(500, true);
  for (int i = 0; i < 5; ++i) {
    advance_ticks(60);  // their sum is long, each is not
    wait(500);
  }
  wait_for_events();
  EXPECT_TRUE(events().empty());
}

TEST_F(IdleWaitIterationsTest, LongIterationBetweenIdleWaits_ReportedWithEdges) {
  wait_for_events();
  wait(500, true);
  advance_ticks(150);
  wait(500);
  advance_ticks(20);
  wait_for_events();
  const std::vector<contract::Event> all = events();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].begin_tick, 1510u);
  EXPECT_EQ(all[0].end_tick, 1660u);
  EXPECT_EQ(all[0].key, descriptor_wait_key(5));
  EXPECT_EQ(all[0].contributors[0].count, 0u);  // the park's time is not the iteration's
}

TEST_F(IdleWaitIterationsTest, DeeperCall_NotIdleWait) {
  wait_for_events();
  wait(10, true);
  deeper([this] { wait(500); });
  wait_for_events();
  EXPECT_EQ(events().size(), 2u);
}

}  // namespace
}  // namespace tailback
