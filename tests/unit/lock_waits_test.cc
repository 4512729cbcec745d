// What the recorder sums up of waits for locks, and the record that tells of it.
#include "instrument/recorder/contention.h"

#include <gtest/gtest.h>

#include <vector>

#include "runtime/report/contention_text.h"
#include "runtime/report/json_record.h"
#include "runtime/report/record_parser.h"
#include "tests/unit/private_recorder.h"

namespace tailback {
namespace {

using contract::ContendedLock;
using contract::ContendedState;
using intercept::Function;

constexpr uint64_t kA = 0x1000, kB = 0x2000;

class LockWaitsTest : public ::testing::Test {
 protected:
  LockWaitsTest() {
    find_tracked_locks();
    segment_->header.tracked_locks.store(contract::kTrackContention);
    timed_holds = 0;
    set_ticks(1000);
  }

  static void wait(uint64_t lock, uint64_t length, uint64_t call_site = 7, bool taken = true) {
    ContendedLock* entry = find_contended(lock, Function::pthread_mutex_lock);
    ASSERT_NE(entry, nullptr);
    advance_ticks(length);
    add_wait(*entry, lock, call_site, ticks() - length, taken, true);
  }
  std::vector<const ContendedLock*> entries() const {
    std::vector<const ContendedLock*> live;
    for (const ContendedLock& entry : segment_->contended) {
      if (entry.state.load() == static_cast<uint32_t>(ContendedState::kLive)) {
        live.push_back(&entry);
      }
    }
    return live;
  }

  PrivateSegment segment_;
};

TEST_F(LockWaitsTest, SeveralWaits_Summed) {
  wait(kA, 10);
  end_hold(kA, false);
  wait(kA, 30, 8);
  ASSERT_EQ(entries().size(), 1u);
  const ContendedLock& entry = *entries()[0];
  EXPECT_EQ(entry.waits.load(), 2u);
  EXPECT_EQ(entry.total_ticks.load(), 40u);
  EXPECT_EQ(entry.longest_ticks.load(), 30u);
  EXPECT_EQ(entry.sites[1].call_site.load(), 8u);
  EXPECT_EQ(entry.sites[1].total_ticks.load(), 30u);
  EXPECT_EQ(segment_->header.contended_used.load(), 1u);
}

TEST_F(LockWaitsTest, HoldAfterWait_Timed) {
  wait(kA, 10);
  advance_ticks(500);
  time_release(kA, false);
  EXPECT_EQ(entries()[0]->hold_ticks.load(), 500u);
  EXPECT_EQ(timed_holds, 0u);
  // The next one was taken at once, and nobody waited.
  advance_ticks(5000);
  time_release(kA, false);
  EXPECT_EQ(entries()[0]->hold_ticks.load(), 500u);
  EXPECT_EQ(entries()[0]->hold_part_ticks.load(), 0u);
}

TEST_F(LockWaitsTest, FailedWait_HoldsNothing) {
  wait(kA, 10, 7, false);
  EXPECT_EQ(entries()[0]->waits.load(), 1u);
  EXPECT_EQ(timed_holds, 0u);
}

TEST_F(LockWaitsTest, OthersHold_WaitedPartKnown) {
  ContendedLock* entry = find_contended(kA, Function::pthread_mutex_lock);
  mark_waited_for(*entry, ticks());
  advance_ticks(300);
  end_hold(kA, true);
  EXPECT_EQ(entry->hold_part_ticks.load(), 300u);
  // Since when the next one is waited for, nobody knows.
  advance_ticks(900);
  end_hold(kA, true);
  EXPECT_EQ(entry->hold_part_ticks.load(), 300u);
}

TEST_F(LockWaitsTest, MoreHoldsThanPlaces_Harmless) {
  for (uint64_t i = 1; i <= 100; ++i) wait(kA + 64 * i, 1);
  for (uint64_t i = 1; i <= 100; ++i) end_hold(kA + 64 * i, false);
  EXPECT_EQ(timed_holds, 0u);
}

TEST_F(LockWaitsTest, TableFull_Counted) {
  for (uint64_t i = 1; i <= 2 * contract::kContendedLocks; ++i) {
    find_contended(kB + 64 * i, Function::sem_wait);
  }
  EXPECT_LE(entries().size(), contract::kContendedLocks);
  EXPECT_EQ(entries().size() + segment_->header.contended_missed.load(),
            2 * contract::kContendedLocks);
}

TEST_F(LockWaitsTest, SitesBeyondTheFourth_CountForTheLockOnly) {
  for (uint64_t site = 1; site <= 6; ++site) wait(kA, 10, site);
  EXPECT_EQ(entries()[0]->waits.load(), 6u);
  EXPECT_EQ(entries()[0]->total_ticks.load(), 60u);
  for (const contract::ContentionSite& site : entries()[0]->sites) {
    EXPECT_LE(site.call_site.load(), contract::kContentionSites);
    EXPECT_EQ(site.waits.load(), 1u);
  }
}

TEST(ContentionRecord, Written_ReadBack) {
  Contention lock;
  lock.pid = 12;
  lock.process = "server";
  lock.lock = {0x4010, "rwlock", "table", {}};
  lock.waits = 3;
  lock.total = std::chrono::milliseconds(400);
  lock.longest = std::chrono::milliseconds(250);
  lock.hold_known = lock.hold_is_part = true;
  lock.longest_hold = std::chrono::milliseconds(200);
  Frame frame;
  frame.function = "update()";
  frame.file = "table.cc";
  frame.line = 12;
  lock.places = {{frame, 3, lock.total, lock.longest}};
  lock.owners = {{{frame}, 0, true, "fsync", 4, lock.total}};
  const Record record = parse_record(json_line(lock));
  const auto* read = std::get_if<Contention>(&record);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(json_line(*read), json_line(lock));
  EXPECT_EQ(read->longest_hold, lock.longest_hold);

  const std::string text = contentions_text({lock}, 1, 20);
  for (const char* part : {"1 lock was waited for: 3 waits, 400 ms in all", "table", "rwlock",
                           "250 ms", "≥ 200 ms", "update() (table.cc:12), in fsync"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_EQ(contentions_text({}, 0, 20), "");
}

}  // namespace
}  // namespace tailback
