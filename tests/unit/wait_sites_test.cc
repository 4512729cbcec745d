// Iterations: what the recorder makes of waits for events and of the calls between them.
#include "tests/unit/wait_sites_fixture.h"

namespace tailback {
namespace {

TEST_F(WaitSitesTest, FirstWait_EndsNothing) {
  advance_ticks(50000);
  wait_at(descriptor_wait_key(5), 10);
  ASSERT_TRUE(site(descriptor_wait_key(5)));
  EXPECT_EQ(iterations(descriptor_wait_key(5)), 0u);
  EXPECT_TRUE(events().empty());
}

TEST_F(WaitSitesTest, TimeInWait_NotPartOfIteration) {
  for (int i = 0; i < 5; ++i) wait_at(descriptor_wait_key(5), 1000000);
  EXPECT_EQ(iterations(descriptor_wait_key(5)),
            0u);  // nothing between the waits: no iteration of any length
  EXPECT_TRUE(events().empty());
}

TEST_F(WaitSitesTest, NoObserver_NothingPublished) {
  segment_->header.threshold_ticks.store(UINT64_MAX);
  wait_at(descriptor_wait_key(5), 10);
  advance_ticks(1u << 30);
  wait_at(descriptor_wait_key(5), 10);
  EXPECT_EQ(iterations(descriptor_wait_key(5)), 1u);
  EXPECT_TRUE(events().empty());
}

TEST_F(WaitSitesTest, Iterations_CountedAndSummed) {
  const uint64_t key = descriptor_wait_key(5);
  wait_at(key, 10);
  for (const uint64_t length : {20u, 50u, 30u}) {
    advance_ticks(length);
    wait_at(key, 10);
  }
  const WaitSite& place = *site(key);
  EXPECT_EQ(place.iterations.load(), 3u);
  EXPECT_EQ(place.busy_ticks, 100u);
  EXPECT_EQ(place.longest_ticks, 50u);
  EXPECT_EQ(place.first_tick, 1000u);
  EXPECT_EQ(place.call_site, kCallSite);
  EXPECT_EQ(place.function, static_cast<uint32_t>(Function::epoll_wait));
  EXPECT_EQ(place.iteration_begin.load(), 1000u + 4 * 10 + 100);
  for (uint32_t i = 0; i < contract::kHistogramBuckets; ++i) {
    const bool has_one = i == contract::histogram_bucket(20) ||
                         i == contract::histogram_bucket(50) || i == contract::histogram_bucket(30);
    EXPECT_EQ(place.histogram[i], has_one ? 1u : 0u) << i;
  }
  EXPECT_EQ(segment_.record().sites.load(), 1u);
  EXPECT_TRUE(events().empty());
}

TEST_F(WaitSitesTest, Threshold_OnlyLongerPublished) {
  wait_at(descriptor_wait_key(5), 10);
  advance_ticks(kThreshold);
  wait_at(descriptor_wait_key(5), 10);
  EXPECT_TRUE(events().empty());
  advance_ticks(kThreshold + 1);
  wait_at(descriptor_wait_key(5), 10);
  EXPECT_EQ(events().size(), 2u);
}

TEST_F(WaitSitesTest, LongIteration_EdgesAndPendingEvents) {
  const uint64_t key = descriptor_wait_key(5);
  wait_at(key, 10);  // until 1010
  advance_ticks(40);
  wait_at(key, 10);  // 1050 to 1060
  advance_ticks(300);
  wait_at(key, 25, 17);  // 1360 to 1385

  const std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 2u);
  for (const Event& event : all) {
    EXPECT_EQ(event.record, PrivateSegment::kRecord);
    EXPECT_EQ(event.generation, PrivateSegment::kGeneration);
    EXPECT_EQ(event.pid, PrivateSegment::kPid);
    EXPECT_EQ(event.tid, PrivateSegment::kTid);
    EXPECT_EQ(event.function, static_cast<uint32_t>(Function::epoll_wait));
    EXPECT_EQ(event.key, key);
    EXPECT_EQ(event.iteration, 2u);
  }
  const Event& iteration = all[0];
  EXPECT_EQ(iteration.kind, static_cast<uint32_t>(EventKind::kIteration));
  EXPECT_EQ(iteration.begin_tick, 1060u);
  EXPECT_EQ(iteration.end_tick, 1360u);
  EXPECT_EQ(iteration.call_site, kCallSite);
  EXPECT_EQ(iteration.other_ticks, 0u);
  EXPECT_TRUE(contributors_of(iteration).empty());
  const Event& pending_events = all[1];
  EXPECT_EQ(pending_events.kind, static_cast<uint32_t>(EventKind::kPendingEvents));
  EXPECT_EQ(pending_events.ready, 17u);
  EXPECT_EQ(pending_events.end_tick, 1385u);
}

TEST_F(WaitSitesTest, FailedWait_BeginsIterationNoPendingEvents) {
  wait_at(descriptor_wait_key(5), 10);
  advance_ticks(500);
  wait_at(descriptor_wait_key(5), 10, -1);
  const std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].ready, 0u);
  EXPECT_EQ(site(descriptor_wait_key(5))->last_ready, 0u);
  advance_ticks(20);
  wait_at(descriptor_wait_key(5), 10);
  EXPECT_EQ(iterations(descriptor_wait_key(5)), 2u);
}

TEST_F(WaitSitesTest, Calls_SummedByFunctionAndCallSite) {
  wait_at(descriptor_wait_key(5), 10);
  call(Function::read, 0x2000, 30);
  call(Function::write, 0x3000, 40);
  call(Function::read, 0x2000, 20);
  call(Function::read, 0x2500, 15);
  wait_at(descriptor_wait_key(5), 10);

  const std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 2u);
  const std::vector<Contributor> sums = contributors_of(all[0]);
  ASSERT_EQ(sums.size(), 3u);
  EXPECT_EQ(sums[0].function, static_cast<uint32_t>(Function::read));
  EXPECT_EQ(sums[0].call_site, 0x2000u);
  EXPECT_EQ(sums[0].count, 2u);
  EXPECT_EQ(sums[0].total_ticks, 50u);
  EXPECT_EQ(sums[0].longest_ticks, 30u);
  EXPECT_EQ(sums[1].function, static_cast<uint32_t>(Function::write));
  EXPECT_EQ(sums[1].total_ticks, 40u);
  EXPECT_EQ(sums[2].call_site, 0x2500u);
  EXPECT_EQ(sums[2].count, 1u);
  EXPECT_EQ(sums[2].total_ticks, 15u);
}

// pthread_once, scandir, nftw and others run the program's own functions.
TEST_F(WaitSitesTest, CallWithCallback_InnerCallsNotItsOwn) {
  wait_at(descriptor_wait_key(5), 10);
  {
    CallScope once(0x2000, Function::pthread_once, 1);
    advance_ticks(5);
    deeper([] {
      CallScope walk(0x3000, Function::nftw, 2);
      advance_ticks(7);
      deeper([] { call(Function::read, 0x4000, 300); });
      deeper([] { call(Function::read, 0x4000, 200); });
    });
    advance_ticks(5);
  }
  wait_at(descriptor_wait_key(5), 10);

  const std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 2u);
  const std::vector<Contributor> sums = contributors_of(all[0]);
  ASSERT_EQ(sums.size(), 3u);
  EXPECT_EQ(sums[0].function, static_cast<uint32_t>(Function::read));
  EXPECT_EQ(sums[0].total_ticks, 500u);
  EXPECT_EQ(sums[1].function, static_cast<uint32_t>(Function::nftw));
  EXPECT_EQ(sums[1].total_ticks, 7u);
  EXPECT_EQ(sums[2].function, static_cast<uint32_t>(Function::pthread_once));
  EXPECT_EQ(sums[2].total_ticks, 10u);
}

TEST_F(WaitSitesTest, NextIteration_FreshSums) {
  wait_at(descriptor_wait_key(5), 10);
  call(Function::read, 0x2000, 200);
  wait_at(descriptor_wait_key(5), 10);
  call(Function::write, 0x3000, 300);
  wait_at(descriptor_wait_key(5), 10);

  const std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 4u);
  const std::vector<Contributor> second = contributors_of(all[2]);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].function, static_cast<uint32_t>(Function::write));
  EXPECT_EQ(second[0].total_ticks, 300u);
}

TEST_F(WaitSitesTest, ShortCalls_NotSummed) {
  segment_->header.short_call_ticks.store(10);
  wait_at(descriptor_wait_key(5), 10);
  call(Function::read, 0x2000, 10);
  call(Function::write, 0x3000, 11);
  advance_ticks(kThreshold);
  wait_at(descriptor_wait_key(5), 10);
  const std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 2u);
  const std::vector<Contributor> sums = contributors_of(all[0]);
  ASSERT_EQ(sums.size(), 1u);
  EXPECT_EQ(sums[0].function, static_cast<uint32_t>(Function::write));
  EXPECT_EQ(sums[0].total_ticks, 11u);
}

TEST_F(WaitSitesTest, CallsBeforeFirstWait_NotSummed) {
  call(Function::read, 0x2000, 5000);
  wait_at(descriptor_wait_key(5), 10);
  advance_ticks(kThreshold + 1);
  wait_at(descriptor_wait_key(5), 10);
  const std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(contributors_of(all[0]).empty());
}

TEST_F(WaitSitesTest, ContributorsFull_SmallestMovedToOthers) {
  wait_at(descriptor_wait_key(5), 10);
  uint64_t total = 0;
  for (uint64_t i = 1; i <= contract::kContributors; ++i) {
    call(Function::read, 0x2000 + i, 10 * i);
    total += 10 * i;
  }
  call(Function::read, 0x9000, 5);   // smaller than all: to the others
  call(Function::read, 0xa000, 75);  // takes the place of the smallest, 10
  total += 5 + 75;
  wait_at(descriptor_wait_key(5), 10);

  const std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].other_ticks, 15u);
  const std::vector<Contributor> sums = contributors_of(all[0]);
  ASSERT_EQ(sums.size(), contract::kContributors);
  uint64_t seen = all[0].other_ticks;
  for (const Contributor& entry : sums) {
    EXPECT_NE(entry.call_site, 0x2001u);
    EXPECT_NE(entry.call_site, 0x9000u);
    seen += entry.total_ticks;
  }
  EXPECT_EQ(seen, total);
  EXPECT_EQ(sums[0].call_site, 0xa000u);
  EXPECT_EQ(sums[0].total_ticks, 75u);

  advance_ticks(kThreshold + 1);
  wait_at(descriptor_wait_key(5), 10);
  const std::vector<Event> next_iteration = events();
  ASSERT_EQ(next_iteration.size(), 2u);
  EXPECT_EQ(next_iteration[0].other_ticks, 0u);
}

TEST_F(WaitSitesTest, TwoEpolls_OwnIterations) {
  const uint64_t a = descriptor_wait_key(5);
  const uint64_t b = descriptor_wait_key(6);
  wait_at(a, 10);
  advance_ticks(20);
  wait_at(b, 10);
  advance_ticks(30);
  wait_at(a, 10);
  advance_ticks(5);
  wait_at(b, 10);
  EXPECT_EQ(iterations(a), 1u);
  EXPECT_EQ(iterations(b), 1u);
  EXPECT_EQ(site(a)->longest_ticks, 20u + 10 + 30);
  EXPECT_EQ(site(b)->longest_ticks, 30u + 10 + 5);
  EXPECT_EQ(segment_.record().sites.load(), 2u);
}

TEST_F(WaitSitesTest, Wait_CallOfOtherSitesOnly) {
  wait_at(descriptor_wait_key(5), 10);
  wait_at(descriptor_wait_key(6), 400, 1, Function::epoll_pwait, 0x7000);
  wait_at(descriptor_wait_key(5), 10);
  const std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].key, descriptor_wait_key(5));
  const std::vector<Contributor> sums = contributors_of(all[0]);
  ASSERT_EQ(sums.size(), 1u);
  EXPECT_EQ(sums[0].function, static_cast<uint32_t>(Function::epoll_pwait));
  EXPECT_EQ(sums[0].call_site, 0x7000u);
  EXPECT_EQ(sums[0].total_ticks, 400u);
}

TEST_F(WaitSitesTest, PollCallSites_Distinct) {
  const uint64_t here = contract::call_site_key(0x1111);
  const uint64_t there = contract::call_site_key(0x2222);
  EXPECT_NE(here, descriptor_wait_key(0x1111));
  for (int i = 0; i < 3; ++i) {
    wait_at(here, 10, 1, Function::poll, 0x1111);
    advance_ticks(7);
    wait_at(there, 10, 1, Function::poll, 0x2222);
    advance_ticks(7);
  }
  EXPECT_EQ(iterations(here), 2u);
  EXPECT_EQ(iterations(there), 2u);
}

TEST_F(WaitSitesTest, DescriptorZero_Key) {
  EXPECT_NE(descriptor_wait_key(0), 0u);
  wait_at(descriptor_wait_key(0), 10);
  advance_ticks(10);
  wait_at(descriptor_wait_key(0), 10);
  EXPECT_EQ(iterations(descriptor_wait_key(0)), 1u);
}

// The descriptor was closed and its number given to a new instance: what lay between the last wait
// on the one and the first on the other is no iteration of either.
TEST_F(WaitSitesTest, NewEpollSameNumber_NewLoop) {
  const uint64_t old_key = descriptor_wait_key(9);
  wait_at(old_key, 10);
  advance_ticks(10);
  wait_at(old_key, 10);
  advance_ticks(100000);
  count_new_descriptor(9);
  const uint64_t new_key = descriptor_wait_key(9);
  ASSERT_NE(new_key, old_key);
  wait_at(new_key, 10);
  EXPECT_TRUE(events().empty());
  EXPECT_EQ(site(old_key), nullptr);
  ASSERT_NE(site(new_key), nullptr);
  EXPECT_EQ(site(new_key)->longest_ticks, 10u);
  EXPECT_EQ(segment_.record().sites.load(), 1u);
  const uint64_t before = iterations(new_key);
  advance_ticks(kThreshold + 1);
  wait_at(new_key, 10);
  EXPECT_EQ(iterations(new_key), before + 1);
  const std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].key, new_key);
}

TEST_F(WaitSitesTest, InvalidDescriptors_Keys) {
  count_new_descriptor(-1);  // epoll_create has failed
  EXPECT_NE(descriptor_wait_key(-1), 0u);
  count_new_descriptor(1 << 30);
  const uint64_t key = descriptor_wait_key(1 << 30);
  EXPECT_EQ(key & 0xffffffffu, 1u << 30);
}

TEST_F(WaitSitesTest, SitesFull_LeastUsedReplaced) {
  std::vector<uint64_t> keys;
  for (int fd = 20; fd < 20 + static_cast<int>(contract::kWaitSites); ++fd) {
    keys.push_back(descriptor_wait_key(fd));
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    // The second is used least.
    const size_t uses = i == 1 ? 2 : 4 + i;
    for (size_t n = 0; n < uses; ++n) {
      wait_at(keys[i], 10);
      advance_ticks(5);
    }
  }
  const uint64_t newcomer = descriptor_wait_key(40);
  wait_at(newcomer, 10);
  EXPECT_EQ(site(keys[1]), nullptr);
  ASSERT_NE(site(newcomer), nullptr);
  EXPECT_EQ(iterations(newcomer), 0u);
  EXPECT_EQ(site(newcomer)->busy_ticks, 0u);
  for (const uint32_t count : site(newcomer)->histogram) EXPECT_EQ(count, 0u);
  for (const size_t i : {0u, 2u, 3u}) EXPECT_EQ(iterations(keys[i]), 3 + i);
  EXPECT_EQ(segment_.record().sites.load(), contract::kWaitSites);
  EXPECT_TRUE(events().empty());
}

// A signal handler's waits may take the place of the one that they interrupt.
TEST_F(WaitSitesTest, PlaceTaken_LeftAlone) {
  std::vector<uint64_t> begins;
  const auto interrupted_wait = [&]() __attribute__((noinline)) {
    CallScope scope(kCallSite, Function::epoll_wait, 5);
    IterationBoundary boundary;
    boundary.enter(scope, Function::epoll_wait, descriptor_wait_key(5), kCallSite);
    deeper([] {
      for (int round = 0; round < 3; ++round) {
        for (int fd = 30; fd < 30 + static_cast<int>(contract::kWaitSites); ++fd) {
          wait_at(descriptor_wait_key(fd), 10);
          advance_ticks(1);
        }
      }
    });
    for (const WaitSite& place : segment_.record().wait_sites) {
      begins.push_back(place.iteration_begin.load());
    }
    advance_ticks(1000);
    boundary.leave(scope, 1);
  };
  interrupted_wait();
  EXPECT_EQ(site(descriptor_wait_key(5)), nullptr);
  for (uint32_t i = 0; i < contract::kWaitSites; ++i) {
    EXPECT_EQ(segment_.record().wait_sites[i].iteration_begin.load(), begins[i]);
  }
  EXPECT_EQ(segment_.record().sites.load(), contract::kWaitSites);
}

TEST_F(WaitSitesTest, ForkedChild_WritesNothing) {
  const auto forking_wait = [&]() __attribute__((noinline)) {
    CallScope scope(kCallSite, Function::epoll_wait, 5);
    IterationBoundary boundary;
    boundary.enter(scope, Function::epoll_wait, descriptor_wait_key(5), kCallSite);
    pretend_fork();
    boundary.leave(scope, 3);
    scope.abandon();
  };
  forking_wait();
  ASSERT_NE(site(descriptor_wait_key(5)), nullptr);
  EXPECT_EQ(site(descriptor_wait_key(5))->iteration_begin.load(), 0u);
  EXPECT_EQ(site(descriptor_wait_key(5))->last_ready, 0u);
  // What the child does next finds no record, and passes.
  wait_at(descriptor_wait_key(6), 10);
  call(Function::read, 0x2000, 10);
  EXPECT_EQ(site(descriptor_wait_key(6)), nullptr);
}

}  // namespace
}  // namespace tailback
