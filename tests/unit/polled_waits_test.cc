// Which wait site a poll belongs to whose call site makes several kinds of polls.
#include "instrument/recorder/polled_waits.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "instrument/contract/wait_key.h"
#include "tests/unit/wait_sites_fixture.h"

namespace tailback {
namespace {

using contract::SiteBlocking;

constexpr uint64_t kLoopFrame = 0x9000;
constexpr uint64_t kDeeper = 0x8000;
constexpr uint64_t kDeepest = 0x7000;
constexpr uint64_t kShallower = 0xa000;
// After so long a set is read again. Less than the threshold.
constexpr uint64_t kUntilDue = 50;

// A thread remembers its sets for all of its life: each test has a call site of its own, and is
// later than the ones before.
uint64_t last_call_site = 0x100000;

class PolledWaitsTest : public WaitSitesTest {
 protected:
  PolledWaitsTest() {
    set_ticks(call_site_ * 1000000);
    own_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  ~PolledWaitsTest() override { close(own_); }

  // A poll as event_waits.cc has it, in a function with this frame. Gives its site's key.
  __attribute__((noinline)) uint64_t poll_in(uint64_t frame, const std::vector<int>& fds,
                                             uint64_t ticks_in_wait = 10, bool may_block = true) {
    CallScope scope(call_site_, Function::poll, 1, fds.size());
    PolledWait wait(scope, Function::poll, call_site_, frame);
    std::vector<pollfd> entries;
    for (const int fd : fds) entries.push_back({fd, POLLIN, 0});
    PolledSet set;
    const bool is_known = set.read(entries.data(), entries.size());
    was_asked_ = wait.depends_on_set();
    was_due_ = wait.is_due();
    if (wait.depends_on_set() && is_known) wait.resolve(set);
    IterationBoundary boundary;
    boundary.enter(scope, Function::poll, wait, call_site_, frame);
    boundary.note_blocking(may_block);
    advance_ticks(ticks_in_wait);
    boundary.leave(scope, 1);
    if (wait.is_due() && is_known) wait.remember(set);
    return wait.key();
  }

  // A loop that polls these; its iteration is in progress afterwards.
  void run_loop(const std::vector<int>& fds, int times = 30) {
    for (int i = 0; i < times; ++i) {
      ASSERT_EQ(poll_in(kLoopFrame, fds), loop_key_);
      advance_ticks(kUntilDue);
    }
  }

  uint64_t nested_key(uint64_t nesting) const {
    return contract::nested_call_site_key(call_site_, nesting);
  }

  const uint64_t call_site_ = ++last_call_site;
  const uint64_t loop_key_ = contract::call_site_key(call_site_);
  const uint64_t nested_key_ = nested_key(1);
  int own_;  // a descriptor that is open
  bool was_asked_ = false;
  bool was_due_ = false;
};

TEST_F(PolledWaitsTest, DeeperAndDisjoint_OwnSite) {
  run_loop({3, 4});
  const uint64_t begin = site(loop_key_)->iteration_begin.load();
  EXPECT_EQ(poll_in(kDeeper, {5}, 300), nested_key_);
  EXPECT_TRUE(was_asked_);
  EXPECT_EQ(site(loop_key_)->iteration_begin.load(), begin);
  events();
  poll_in(kLoopFrame, {3, 4});
  const std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].key, loop_key_);
  EXPECT_EQ(all[0].begin_tick, begin);
  EXPECT_GE(all[0].end_tick - begin, 300u);
  ASSERT_EQ(contributors_of(all[0]).size(), 1u);
  EXPECT_EQ(contributors_of(all[0])[0].total_ticks, 300u);
}

TEST_F(PolledWaitsTest, DeeperSharesDescriptor_SameSite) {
  run_loop({3, 4});
  EXPECT_EQ(poll_in(kDeeper, {4, 5}, 300), loop_key_);
}

// One of the loop's connections, or a new descriptor with its number.
TEST_F(PolledWaitsTest, DeeperSharesLatecomer_OwnSite) {
  run_loop({3, 4});
  run_loop({3, 4, 7}, 3);
  EXPECT_EQ(poll_in(kDeeper, {7}), nested_key_);
  poll_in(kLoopFrame, {3, 4, 7});
  EXPECT_EQ(poll_in(kDeeper, {3, 7}), loop_key_);
}

TEST_F(PolledWaitsTest, DeeperSharesAnyInFirstIterations_SameSite) {
  run_loop({3, 4}, 3);
  run_loop({3, 4, 7}, 3);
  EXPECT_EQ(poll_in(kDeeper, {7}), loop_key_);
}

TEST_F(PolledWaitsTest, EqualDepthSharesLatecomer_SameSite) {
  run_loop({own_, 4});
  run_loop({own_, 4, 7}, 3);
  EXPECT_EQ(poll_in(kLoopFrame, {7}), loop_key_) << "the loop accepts no more for a while";
}

TEST_F(PolledWaitsTest, Shallower_SameSite) {
  run_loop({own_});
  EXPECT_EQ(poll_in(kShallower, {5}), loop_key_);
}

TEST_F(PolledWaitsTest, DeeperAfterFirstIterations_OwnSite) {
  run_loop({3}, 2);
  EXPECT_EQ(poll_in(kDeeper, {5}), nested_key_);
}

TEST_F(PolledWaitsTest, NoIterationInProgress_SameSite) {
  EXPECT_EQ(poll_in(kDeeper, {5}), loop_key_);
  run_loop({3});
  segment_.record().wait_sites[0].iteration_begin.store(0);
  EXPECT_EQ(poll_in(kDeeper, {5}), loop_key_);
}

TEST_F(PolledWaitsTest, NestedInNested_OwnSiteEach) {
  run_loop({3});
  EXPECT_EQ(poll_in(kDeeper, {5}), nested_key_);
  EXPECT_EQ(poll_in(kDeepest, {6}), nested_key(2));
  EXPECT_EQ(poll_in(kDeepest - 0x1000, {7}), nested_key(3));
  // Further ones are waits at the innermost site that has a key.
  EXPECT_EQ(poll_in(kDeepest - 0x2000, {8}), nested_key(3));
}

TEST_F(PolledWaitsTest, LoopInCallbackOfDisjointSet_OwnIterations) {
  run_loop({3});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(poll_in(kDeeper, {5}), nested_key_) << i;
    advance_ticks(5);
  }
  EXPECT_EQ(iterations(nested_key_), 9u);
  const uint64_t before = iterations(loop_key_);
  poll_in(kLoopFrame, {3});
  EXPECT_EQ(iterations(loop_key_), before + 1);
  EXPECT_EQ(site(nested_key_)->iteration_begin.load(), 0u) << "ends with the outer iteration";
}

TEST_F(PolledWaitsTest, UnknownSet_SameSite) {
  run_loop({3});
  EXPECT_EQ(poll_in(kDeeper, {2000}), loop_key_);
  EXPECT_EQ(poll_in(kDeeper, std::vector<int>(300, 5)), loop_key_);
}

TEST_F(PolledWaitsTest, EmptyOuterSet_SameSite) {
  run_loop({});
  EXPECT_EQ(poll_in(kDeeper, {5}), loop_key_);
}

TEST_F(PolledWaitsTest, EmptyInnerSet_OwnSite) {
  run_loop({3});
  EXPECT_EQ(poll_in(kDeeper, {}), nested_key_);
}

TEST_F(PolledWaitsTest, EqualDepthDisjoint_OwnSite) {
  run_loop({own_, 900});
  EXPECT_EQ(poll_in(kLoopFrame, {901}, 300), nested_key_);
}

TEST_F(PolledWaitsTest, EqualDepthBeforeEstablished_SameSite) {
  run_loop({own_}, static_cast<int>(contract::kEstablishedIterations) - 1);
  EXPECT_EQ(poll_in(kLoopFrame, {901}), loop_key_);
}

TEST_F(PolledWaitsTest, EqualDepthNotDue_SameSite) {
  run_loop({own_});
  poll_in(kLoopFrame, {own_}, 5);
  EXPECT_TRUE(was_due_);
  EXPECT_EQ(poll_in(kLoopFrame, {901}), loop_key_) << "a sixteenth of the threshold has not passed";
  EXPECT_FALSE(was_due_);
  EXPECT_FALSE(was_asked_);
}

TEST_F(PolledWaitsTest, EqualDepthAlwaysSetClosed_SameSite) {
  const int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
  run_loop({closed});
  close(closed);
  EXPECT_EQ(poll_in(kLoopFrame, {901}), loop_key_) << "the next loop of the same function";
}

// Of a set that changes nothing is the loop's own.
TEST_F(PolledWaitsTest, EqualDepthChangingSet_SameSite) {
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(poll_in(kLoopFrame, {i % 2 == 0 ? own_ : 901}), loop_key_) << i;
    advance_ticks(kUntilDue);
  }
}

TEST_F(PolledWaitsTest, LoopAtOtherDepth_RemembersAnew) {
  run_loop({3});
  poll_in(kShallower, {4});
  advance_ticks(kUntilDue);
  EXPECT_EQ(poll_in(kLoopFrame, {3}), nested_key_);
  EXPECT_EQ(poll_in(kLoopFrame, {4}), loop_key_);
}

// A loop that asks its epoll instance by poll, in a function of its own.
class PolledEpollTest : public PolledWaitsTest {
 protected:
  const WaitSite& epoll() const { return *site(descriptor_wait_key(5)); }
  // As epoll_wait(…, 0).
  __attribute__((noinline)) void ask_epoll(bool may_block = false) {
    CallScope scope(0x3000, Function::epoll_wait, 5);
    IterationBoundary boundary;
    boundary.enter(scope, Function::epoll_wait, descriptor_wait_key(5), 0x3000, kLoopFrame);
    boundary.note_blocking(may_block);
    boundary.leave(scope, 1);
  }
};

TEST_F(PolledEpollTest, PollOfEpoll_EndsAndBeginsItsIterations) {
  for (int i = 0; i < 5; ++i) {
    poll_in(kDeeper, {5}, 1000);
    ask_epoll();
    advance_ticks(20);
  }
  EXPECT_EQ(epoll().longest_ticks, 20u);
  EXPECT_TRUE(events().empty());
  poll_in(kDeeper, {5}, 1000);
  EXPECT_EQ(epoll().iteration_begin.load(), site(loop_key_)->iteration_begin.load());
}

TEST_F(PolledEpollTest, BlockedBetweenAskAndPoll_LongIteration) {
  poll_in(kDeeper, {5}, 1000);
  ask_epoll();
  advance_ticks(300);
  poll_in(kDeeper, {5, 6}, 1000);
  const std::vector<Event> all = events();
  const auto of_epoll = std::find_if(all.begin(), all.end(), [](const Event& event) {
    return event.key == descriptor_wait_key(5);
  });
  ASSERT_NE(of_epoll, all.end());
  EXPECT_EQ(of_epoll->end_tick - of_epoll->begin_tick, 300u);
}

TEST_F(PolledEpollTest, PollOfOtherDescriptor_PartOfIteration) {
  ask_epoll();
  poll_in(kDeeper, {6}, 300);
  ask_epoll();
  EXPECT_EQ(epoll().longest_ticks, 300u);
}

TEST_F(PolledEpollTest, TimeoutZeroOnly_NeverBlocks) {
  ask_epoll();
  EXPECT_EQ(epoll().blocking, static_cast<uint16_t>(SiteBlocking::kNever));
  ask_epoll();
  EXPECT_EQ(epoll().blocking, static_cast<uint16_t>(SiteBlocking::kNever));
  ask_epoll(true);
  EXPECT_EQ(epoll().blocking, static_cast<uint16_t>(SiteBlocking::kSome));
  ask_epoll();
  EXPECT_EQ(epoll().blocking, static_cast<uint16_t>(SiteBlocking::kSome));
}

TEST_F(PolledEpollTest, PolledEpoll_Blocks) {
  ask_epoll();
  poll_in(kDeeper, {5});
  EXPECT_EQ(epoll().blocking, static_cast<uint16_t>(SiteBlocking::kSome));
}

TEST_F(PolledEpollTest, NoSet_NotAskedWithoutEpoll) {
  poll_in(kDeeper, {5});
  EXPECT_FALSE(was_asked_);
  ask_epoll();
  poll_in(kDeeper, {6});
  EXPECT_TRUE(was_asked_);
}

}  // namespace
}  // namespace tailback
