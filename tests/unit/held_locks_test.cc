// What the recorder tracks of locks: the held ones, the order in which threads take them, who took
// a semaphore last.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "instrument/recorder/held_locks.h"
#include "instrument/recorder/lock_order.h"
#include "instrument/recorder/stack_capture.h"
#include "tests/unit/private_recorder.h"

namespace tailback {
namespace {

using contract::HeldLocks;
using contract::LockEvent;
using contract::LockEventKind;

constexpr uint64_t kA = 0x1000, kB = 0x2000, kC = 0x3000;
constexpr Taken kMutex{HeldKind::kMutex};

class HeldLocksTest : public ::testing::Test {
 protected:
  HeldLocksTest() {
    find_tracked_locks();
    keep(contract::kTrackReaders | contract::kTrackOwners | contract::kTrackSemaphores |
         contract::kTrackOrder);
    forget_held_locks(segment_.record());
    // The tests before have published sequences of these addresses: make other locks of them.
    for (const uint64_t lock : {kA, kB, kC}) {
      lock_generation(lock);
      next_lock_generation(lock);
    }
  }

  void keep(uint32_t kinds) { segment_->header.tracked_locks.store(kinds); }
  const HeldLocks& held() const { return segment_->held_locks[PrivateSegment::kRecord]; }
  std::vector<uint64_t> addresses() const {
    std::vector<uint64_t> all;
    for (uint32_t i = 0; i < held().count.load(); ++i) all.push_back(held().locks[i].lock.load());
    return all;
  }
  uint64_t events() const { return segment_->header.lock_ring_head.load(); }
  const LockEvent& event(uint64_t at) const { return segment_->lock_ring[at].event; }

  PrivateSegment segment_;
};

using Addresses = std::vector<uint64_t>;

TEST_F(HeldLocksTest, SeveralHeld_AcquisitionOrder) {
  track_acquire(kA, kMutex, 11);
  track_acquire(kB, {HeldKind::kWrite}, 12);
  EXPECT_EQ(addresses(), (Addresses{kA, kB}));
  EXPECT_EQ(held().locks[1].call_site.load(), 12u);
  EXPECT_EQ(contract::kind_held(held().locks[1].how.load()), HeldKind::kWrite);
  track_release(kB, 0);
  track_release(kA, 0);
  EXPECT_EQ(addresses(), Addresses{});
}

TEST_F(HeldLocksTest, ReleasedInAnyOrder_Removed) {
  track_acquire(kA, kMutex, 1);
  track_acquire(kB, kMutex, 2);
  track_acquire(kC, kMutex, 3);
  track_release(kA, 0);
  EXPECT_EQ(addresses(), (Addresses{kB, kC}));
  EXPECT_EQ(held().locks[0].call_site.load(), 2u);
  EXPECT_EQ(held().locks[0].sequence,
            add_to_sequence(0, kB, HeldKind::kMutex, lock_generation(kB)));
}

TEST_F(HeldLocksTest, Recursive_HeldUntilLastRelease) {
  track_acquire(kA, {HeldKind::kMutex, true}, 1);
  track_acquire(kA, {HeldKind::kMutex, true}, 2);
  EXPECT_EQ(contract::times_held(held().locks[0].how.load()), 2u);
  EXPECT_EQ(held().locks[0].call_site.load(), 1u);
  track_release(kA, 0);
  EXPECT_EQ(addresses(), Addresses{kA});
  track_release(kA, 0);
  EXPECT_EQ(addresses(), Addresses{});
}

TEST_F(HeldLocksTest, TakenAgain_ReleasedElsewhere) {
  track_acquire(kA, kMutex, 1);
  track_acquire(kB, kMutex, 2);
  track_acquire(kA, kMutex, 3);
  EXPECT_EQ(addresses(), (Addresses{kB, kA}));
  EXPECT_EQ(contract::times_held(held().locks[1].how.load()), 1u);
}

TEST_F(HeldLocksTest, MoreThanFit_Counted) {
  for (uint64_t i = 1; i <= contract::kHeldLocks + 3; ++i) track_acquire(i * 64, kMutex, i);
  EXPECT_EQ(held().count.load(), contract::kHeldLocks);
  EXPECT_EQ(held().missed.load(), 3u);
  EXPECT_EQ(segment_->header.held_missed.load(), 3u);
}

TEST_F(HeldLocksTest, AbsurdCount_NotFollowed) {
  segment_->held_locks[PrivateSegment::kRecord].count.store(4000000000u);
  track_acquire(kA, kMutex, 1);
  track_release(kA, 0);
  EXPECT_EQ(held().missed.load(), 1u);
}

TEST_F(HeldLocksTest, ReleasedForWait_TakenAgain) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  const uint64_t waited_with = address_of(&mutex);
  track_acquire(waited_with, kMutex, 1);
  track_acquire(kA, kMutex, 2);
  EXPECT_EQ(events(), 1u);
  {
    const ReleasedForWait given_up(&mutex, 3);
    EXPECT_EQ(addresses(), Addresses{kA});
  }
  EXPECT_EQ(addresses(), (Addresses{kA, waited_with}));
  ASSERT_EQ(events(), 2u) << "it was waited for while another was held";
  EXPECT_EQ(event(1).taken.address, waited_with);
  EXPECT_EQ(event(1).taken.call_site, 3u);
}

TEST_F(HeldLocksTest, ForkedChild_WritesNothing) {
  track_acquire(kA, kMutex, 1);
  pretend_fork();
  track_acquire(kB, kMutex, 2);
  track_release(kA, 0);
  EXPECT_EQ(addresses(), Addresses{kA});
}

TEST_F(HeldLocksTest, NotTracked_NotListed) {
  keep(contract::kTrackReaders);
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  track_mutex(&mutex, 0, 1);
  EXPECT_EQ(addresses(), Addresses{});
  track_lock(HeldKind::kRead, &mutex, EBUSY, 1);
  EXPECT_EQ(addresses(), Addresses{});
  track_lock(HeldKind::kRead, &mutex, 0, 1);
  EXPECT_EQ(addresses().size(), 1u);
}

TEST_F(HeldLocksTest, SameSequenceAgain_IsPublishedOnce) {
  for (int i = 0; i < 5; ++i) {
    track_acquire(kA, kMutex, 21);
    track_acquire(kB, kMutex, 22);
    track_release(kB, 0);
    track_release(kA, 0);
  }
  ASSERT_EQ(events(), 1u);
  const LockEvent& published = event(0);
  EXPECT_EQ(published.kind, static_cast<uint32_t>(LockEventKind::kAcquired));
  EXPECT_EQ(published.pid, PrivateSegment::kPid);
  EXPECT_EQ(published.tid, PrivateSegment::kTid);
  EXPECT_EQ(published.taken.address, kB);
  EXPECT_EQ(published.taken.call_site, 22u);
  ASSERT_EQ(published.held_count, 1u);
  EXPECT_EQ(published.held[0].address, kA);
  EXPECT_EQ(published.held[0].call_site, 21u);
}

TEST_F(HeldLocksTest, SingleAgainOrTried_NoOrder) {
  track_acquire(kA, {HeldKind::kMutex, true}, 1);
  track_acquire(kA, {HeldKind::kMutex, true}, 1);
  track_acquire(kB, {HeldKind::kMutex, false, true}, 1);
  EXPECT_EQ(events(), 0u);
  track_acquire(kC, kMutex, 1);
  ASSERT_EQ(events(), 1u) << "out of the tried one";
  EXPECT_EQ(event(0).held_count, 2u);
}

TEST_F(HeldLocksTest, Reinitialised_OtherLock) {
  track_acquire(kA, kMutex, 1);
  track_acquire(kB, kMutex, 1);
  track_release(kB, 0);
  track_destroy(kB);
  track_init(kB, 77);
  track_acquire(kB, kMutex, 1);
  ASSERT_EQ(events(), 2u);
  EXPECT_NE(event(0).taken.generation, event(1).taken.generation);
  next_lock_generations(kA - 100, 200);
  EXPECT_NE(lock_generation(kA), event(1).held[0].generation);
}

TEST_F(HeldLocksTest, RingFull_CountedNotBlocked) {
  track_acquire(kA, kMutex, 1);
  for (uint64_t i = 1; i <= contract::kLockRingCapacity + 5; ++i) {
    track_acquire(kB + i * 64, kMutex, 1);
    track_release(kB + i * 64, 0);
  }
  EXPECT_EQ(events(), contract::kLockRingCapacity);
  EXPECT_EQ(segment_->header.lock_ring_dropped.load(), 5u);
}

TEST_F(HeldLocksTest, ReleasedByOther_PublishedOnce) {
  track_release(kA, 0);
  track_release(kA, PrivateSegment::kTid);
  EXPECT_EQ(events(), 0u) << "unlocked, or taken where we don't see it";
  track_release(kA, PrivateSegment::kTid + 1);
  track_release(kA, PrivateSegment::kTid + 1);
  ASSERT_EQ(events(), 1u);
  EXPECT_EQ(event(0).kind, static_cast<uint32_t>(LockEventKind::kReleasedByNonOwner));
  EXPECT_EQ(event(0).taken.address, kA);
}

TEST_F(HeldLocksTest, Capture_HasStack) {
  segment_.record().pid.store(getpid());
  find_inherited_filter();
  char marked[64] = "this text lies on the stack";
  asm volatile("" : : "r"(marked) : "memory");
  const uint32_t capture = capture_stack(segment_.record());
  ASSERT_NE(capture, 0u);
  const contract::StackCapture& captured = segment_->captures[capture - 1];
  EXPECT_EQ(captured.state.load(), static_cast<uint32_t>(contract::CaptureState::kFilled));
  const uint64_t at = reinterpret_cast<uint64_t>(marked) - captured.stack_begin;
  ASSERT_LT(at + sizeof marked, captured.size);
  EXPECT_STREQ(captured.stack + at, marked);
  EXPECT_EQ(captured.context.stack_pointer & ~uint64_t{7}, captured.stack_begin);
}

TEST_F(HeldLocksTest, CapturesUsedUp_Counted) {
  segment_.record().pid.store(getpid());
  find_inherited_filter();
  uint32_t got = 0;
  for (uint32_t i = 0; i < contract::kStackCaptures + 10; ++i) {
    got += capture_stack(segment_.record()) != 0;
  }
  EXPECT_EQ(got, contract::kStackCaptures);
  EXPECT_EQ(segment_->header.captures_missed.load(), 10u);
}

TEST_F(HeldLocksTest, Semaphore_TakerAndPosts) {
  const auto use = [&]() -> const contract::SemaphoreUse& {
    const uint64_t key = contract::lock_key(segment_.record().process.load(), kA);
    return segment_->semaphores[contract::lock_key_hash(key) % contract::kSemaphoreUses];
  };
  track_taker(kA);
  EXPECT_EQ(use().taker.load(), PrivateSegment::kTid);
  EXPECT_EQ(use().posted.load(), 0u);
  track_post(kA);
  EXPECT_EQ(use().posted.load(), uint32_t{contract::kPostedByTaker});
  segment_.record().tid.store(PrivateSegment::kTid + 1);
  track_post(kA);
  EXPECT_EQ(use().posted.load(), contract::kPostedByTaker | contract::kPostedByOther);
  forget_semaphore(kA);
  EXPECT_EQ(use().key.load(), 0u);
}

}  // namespace
}  // namespace tailback
