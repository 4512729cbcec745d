// Iterations of waits at several depths of one stack: which of them is the loop.
#include "tests/unit/wait_sites_fixture.h"

namespace tailback {
namespace {

using WaitDepthsTest = WaitSitesTest;

TEST_F(WaitDepthsTest, ShallowerWait_VoidsDeeperIteration) {
  const uint64_t outer = descriptor_wait_key(5);
  const uint64_t nested = contract::call_site_key(0x1111);
  const auto nested_wait = [&] { wait_at(nested, 10, 1, Function::poll, 0x1111); };
  wait_at(outer, 10);
  deeper(nested_wait);
  EXPECT_NE(site(nested)->iteration_begin.load(), 0u);
  wait_at(outer, 10);
  EXPECT_EQ(site(nested)->iteration_begin.load(), 0u);
  advance_ticks(100000);
  deeper(nested_wait);
  EXPECT_EQ(iterations(nested), 0u);
}

TEST_F(WaitDepthsTest, DeeperWait_OuterIterationGoesOn) {
  const uint64_t outer = descriptor_wait_key(5);
  const uint64_t nested = contract::call_site_key(0x1111);
  wait_at(outer, 10);
  const uint64_t began = site(outer)->iteration_begin.load();
  deeper([&] {
    for (int i = 0; i < 3; ++i) {
      wait_at(nested, 50, 1, Function::poll, 0x1111);
      advance_ticks(1);
    }
  });
  EXPECT_EQ(site(outer)->iteration_begin.load(), began);
  EXPECT_EQ(iterations(nested), 2u);
  wait_at(outer, 10);
  const std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].key, outer);
  EXPECT_EQ(all[0].end_tick - all[0].begin_tick, 153u);
  ASSERT_EQ(contributors_of(all[0]).size(), 1u);
  EXPECT_EQ(contributors_of(all[0])[0].count, 3u);
  EXPECT_EQ(contributors_of(all[0])[0].total_ticks, 150u);
}

// The loop waits within functions of its own, deeper than what its callbacks call.
TEST_F(WaitDepthsTest, ShallowerWaitInCallback_IterationGoesOn) {
  const uint64_t loop = descriptor_wait_key(5);
  const uint64_t nested = contract::call_site_key(0x1111);
  const auto iteration = [&] { deeper([&] { wait_at(loop, 10); }); };
  for (int i = 0; i < 25; ++i) {
    iteration();
    advance_ticks(7);
  }
  iteration();
  for (int round = 1; round <= 3; ++round) {
    SCOPED_TRACE(round);
    for (int i = 0; i < round; ++i) wait_at(nested, 400, 1, Function::poll, 0x1111);
    iteration();
    const std::vector<Event> all = events();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].key, loop);
    EXPECT_EQ(all[0].end_tick - all[0].begin_tick, 400u * static_cast<uint64_t>(round));
    ASSERT_EQ(contributors_of(all[0]).size(), 1u);
    EXPECT_EQ(contributors_of(all[0])[0].count, static_cast<uint32_t>(round));
    EXPECT_EQ(site(nested)->iteration_begin.load(), 0u) << "ends with the iteration";
    iteration();
    EXPECT_TRUE(events().empty());
  }
}

// What ran before the main loop, in functions of its own, is no iteration when it runs again
// within.
TEST_F(WaitDepthsTest, EndedLoop_LeftAfterShallowerIteration) {
  const uint64_t first = descriptor_wait_key(5);
  const uint64_t main_loop = descriptor_wait_key(6);
  const auto first_iteration = [&] { deeper([&] { wait_at(first, 10); }); };
  for (int i = 0; i < 30; ++i) first_iteration();
  for (int i = 0; i < 22; ++i) {
    advance_ticks(20);
    wait_at(main_loop, 100);
  }
  first_iteration();
  EXPECT_TRUE(events().empty());
  wait_at(main_loop, 10);
  EXPECT_EQ(iterations(main_loop), 22u);
}

// A request and its answer before the main loop, and again from one of its first callbacks.
TEST_F(WaitDepthsTest, WaitsBeforeLoop_LeftAtFirstLoopWait) {
  const uint64_t early = contract::call_site_key(0x1111);
  const uint64_t main_loop = descriptor_wait_key(6);
  const auto ask = [&] { deeper([&] { wait_at(early, 10, 1, Function::poll, 0x1111); }); };
  for (int i = 0; i < 10; ++i) {
    ask();
    advance_ticks(20);
  }
  wait_at(main_loop, 1000);
  ask();
  EXPECT_TRUE(events().empty());
  wait_at(main_loop, 1000);
  wait_at(main_loop, 1000);
  ask();
  EXPECT_TRUE(events().empty());
}

TEST_F(WaitDepthsTest, LongIteration_SiblingReturnPublished) {
  const uint64_t outer = descriptor_wait_key(5);
  const uint64_t inner = descriptor_wait_key(6);
  for (int i = 0; i < 2; ++i) {
    wait_at(outer, 10);
    wait_at(inner, 1);
    advance_ticks(i == 0 ? 1 : 500);
  }
  const uint64_t returned = site(inner)->iteration_begin.load();
  wait_at(outer, 10);
  wait_at(inner, 1);
  const std::vector<Event> all = events();
  ASSERT_GE(all.size(), 1u);
  EXPECT_EQ(all[0].key, outer);
  EXPECT_EQ(all[0].sibling_key, inner);
  EXPECT_EQ(all[0].sibling_return, returned);
}

}  // namespace
}  // namespace tailback
