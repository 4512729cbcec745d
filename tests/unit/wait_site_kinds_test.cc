// Waits of different kinds on one thread: rings, signals, reads beside waits for events.
#include "tests/unit/wait_sites_fixture.h"

namespace tailback {
namespace {

// The address of a ring that has ended is that of the next one.
TEST_F(WaitSitesTest, NewRingSameAddress_NewLoop) {
  alignas(64) static char ring[64];
  const uint64_t old_key = instance_wait_key(ring);
  const auto wait = [](uint64_t key) {
    wait_at(key, 10, 1, Function::io_uring_submit_and_wait);
    advance_ticks(10);
  };
  for (int i = 0; i < 3; ++i) wait(old_key);
  end_instance(ring);
  EXPECT_EQ(site(old_key)->iteration_begin.load(), 0u);
  advance_ticks(100000);
  const uint64_t new_key = instance_wait_key(ring);
  ASSERT_NE(new_key, old_key);
  for (int i = 0; i < 3; ++i) wait(new_key);
  EXPECT_TRUE(events().empty());
  EXPECT_EQ(site(old_key), nullptr);
  EXPECT_EQ(site(new_key)->longest_ticks, 10u);
  EXPECT_EQ(segment_.record().sites.load(), 1u);
}

TEST_F(WaitSitesTest, KeyKinds_Distinct) {
  const auto* address = reinterpret_cast<const void*>(uint64_t{5});
  const uint64_t keys[] = {descriptor_wait_key(5), instance_wait_key(address),
                           contract::call_site_key(5), contract::read_key(5, 5)};
  for (const uint64_t key : keys) wait_at(key, 10);
  for (const uint64_t key : keys) EXPECT_NE(site(key), nullptr) << key;
  EXPECT_NE(contract::read_key(5, 0x1000), contract::read_key(6, 0x1000));
}

// Waits for a signal and reads: a loop's only where there is no other.
TEST_F(WaitSitesTest, NonEventWait_TimedFromFirst) {
  const uint64_t key = contract::call_site_key(0x1111);
  for (int i = 0; i < 4; ++i) {
    wait_at(key, 10, 1, Function::sigwaitinfo, 0x1111);
    advance_ticks(7);
  }
  EXPECT_EQ(iterations(key), 3u);
  EXPECT_EQ(site(key)->first_tick, 1000u);
  EXPECT_EQ(site(key)->longest_ticks, 7u);
}

TEST_F(WaitSitesTest, NonEventWait_EndsNoEventIteration) {
  deeper([] { wait_at(descriptor_wait_key(5), 10); });
  const uint64_t began = site(descriptor_wait_key(5))->iteration_begin.load();
  wait_at(contract::call_site_key(0x1111), 10, 1, Function::sigtimedwait, 0x1111);
  EXPECT_EQ(site(descriptor_wait_key(5))->iteration_begin.load(), began);
}

TEST_F(WaitSitesTest, ShallowerRead_LeavesDeeperLoop) {
  const uint64_t key = contract::read_key(3, 0x1111);
  for (int i = 0; i < 5; ++i) {
    deeper([] { wait_at(descriptor_wait_key(5), 10); });
    wait_at(key, 1, 1, Function::read, 0x1111);
    advance_ticks(30);
  }
  EXPECT_EQ(iterations(descriptor_wait_key(5)), 4u);
  EXPECT_EQ(site(descriptor_wait_key(5))->longest_ticks, 31u);
}

TEST_F(WaitSitesTest, NonEventWait_TakesNoPlaceOfEventWait) {
  for (int fd = 20; fd < 20 + static_cast<int>(contract::kWaitSites); ++fd) {
    wait_at(descriptor_wait_key(fd), 10);
  }
  const uint64_t key = contract::read_key(3, 0x1111);
  wait_at(key, 10, 1, Function::read, 0x1111);
  EXPECT_EQ(site(key), nullptr);
  for (int fd = 20; fd < 20 + static_cast<int>(contract::kWaitSites); ++fd) {
    EXPECT_NE(site(descriptor_wait_key(fd)), nullptr);
  }
}

TEST_F(WaitSitesTest, Depth_IndependentOfInterceptor) {
  const auto roomy_wait = [](uint64_t key) __attribute__((noinline)) {
    CallScope scope(kCallSite, Function::poll, 5);
    volatile char room[512];
    room[0] = 1;
    IterationBoundary boundary;
    boundary.enter(scope, Function::poll, key, kCallSite);
    boundary.leave(scope, room[0]);
  };
  wait_at(descriptor_wait_key(5), 10);
  const uint64_t began = site(descriptor_wait_key(5))->iteration_begin.load();
  roomy_wait(contract::call_site_key(0x1111));
  wait_at(descriptor_wait_key(6), 10);
  EXPECT_EQ(site(descriptor_wait_key(5))->iteration_begin.load(), began);
  EXPECT_NE(site(contract::call_site_key(0x1111))->iteration_begin.load(), 0u);
}

}  // namespace
}  // namespace tailback
