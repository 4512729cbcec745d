// Orders of locks that can deadlock, and those that only look like it.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "runtime/locks/lock_graph.h"

namespace tailback {
namespace {

using contract::HeldKind;

class LockGraphTest : public ::testing::Test {
 protected:
  // "A" is a mutex, "Ar" a lock that is held for reading, "Aw" for writing; "A2" is the second lock
  // at A's address.
  static LockUse use(const std::string& text) {
    LockUse use;
    use.lock = {static_cast<uint64_t>(text[0]) * 64, 1};
    for (const char c : text.substr(1)) {
      if (c == 'r') use.kind = HeldKind::kRead;
      if (c == 'w') use.kind = HeldKind::kWrite;
      if (c >= '0' && c <= '9') use.lock.generation = static_cast<uint32_t>(c - '0');
    }
    return use;
  }

  // Words: what is held, then what is taken.
  std::vector<Cycle> take(int tid, const std::string& words) {
    auto acquisition = std::make_shared<Acquisition>();
    acquisition->tid = tid;
    size_t begin = 0;
    for (size_t end = 0; end <= words.size(); ++end) {
      if (end < words.size() && words[end] != ' ') continue;
      acquisition->held.push_back(use(words.substr(begin, end - begin)));
      begin = end + 1;
    }
    acquisition->taken = acquisition->held.back();
    acquisition->held.pop_back();
    return graph_.add(acquisition);
  }

  LockGraph graph_;
};

TEST_F(LockGraphTest, OneOrder_NoCycle) {
  EXPECT_TRUE(take(1, "A B").empty());
  EXPECT_TRUE(take(2, "A B").empty());
  EXPECT_TRUE(take(2, "A B C").empty());
  EXPECT_TRUE(take(3, "B C").empty());
  EXPECT_TRUE(take(3, "A C").empty());
}

TEST_F(LockGraphTest, BothOrdersTwoThreads_Cycle) {
  EXPECT_TRUE(take(1, "A B").empty());
  const auto cycles = take(2, "B A");
  ASSERT_EQ(cycles.size(), 1u);
  ASSERT_EQ(cycles[0].size(), 2u);
  EXPECT_EQ(cycles[0][0].acquisition->tid, 2);
  EXPECT_EQ(cycles[0][1].acquisition->tid, 1);
  EXPECT_EQ(cycles[0][1].held.lock, use("A").lock);
}

TEST_F(LockGraphTest, BothOrdersOneThread_NoCycle) {
  EXPECT_TRUE(take(1, "A B").empty());
  EXPECT_TRUE(take(1, "B A").empty());
  EXPECT_EQ(take(2, "A B").size(), 1u) << "another thread makes it one";
}

TEST_F(LockGraphTest, GateLock_NoCycle) {
  EXPECT_TRUE(take(1, "G A B").empty());
  EXPECT_TRUE(take(2, "G B A").empty());
  EXPECT_EQ(take(1, "A B").size(), 1u) << "around one of them it is no gate";
}

TEST_F(LockGraphTest, ReadGate_CycleStays) {
  EXPECT_TRUE(take(1, "Gr A B").empty());
  EXPECT_EQ(take(2, "Gr B A").size(), 1u);
}

TEST_F(LockGraphTest, ReadWriteGate_NoCycle) {
  EXPECT_TRUE(take(1, "Gr A B").empty());
  EXPECT_TRUE(take(2, "Gw B A").empty());
}

TEST_F(LockGraphTest, ThreeLocks_Cycle) {
  EXPECT_TRUE(take(1, "A B").empty());
  EXPECT_TRUE(take(2, "B C").empty());
  const auto cycles = take(3, "C A");
  ASSERT_EQ(cycles.size(), 1u);
  EXPECT_EQ(cycles[0].size(), 3u);
}

// A thread waits in one place at a time: three locks take three threads. A log that is written in a
// ring of buffers, from one to the next, looks so.
TEST_F(LockGraphTest, RingWithFewerThreads_NoCycle) {
  EXPECT_TRUE(take(1, "A B").empty());
  EXPECT_TRUE(take(2, "B C").empty());
  EXPECT_TRUE(take(2, "C A").empty());
  EXPECT_TRUE(take(1, "C A").empty());
  EXPECT_TRUE(take(1, "B C").empty());
  const auto cycles = take(3, "B C");
  ASSERT_EQ(cycles.size(), 1u) << "a third makes it one";
  std::set<int> threads;
  for (const CycleStep& step : cycles[0]) threads.insert(step.acquisition->tid);
  EXPECT_EQ(threads, (std::set<int>{1, 2, 3}));
}

// Every way of handing out the steps is looked at, and none loses an acquisition.
TEST_F(LockGraphTest, RingOfEightSevenThreads_NoCycle) {
  const std::string locks = "ABCDEFGH";
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < locks.size(); ++i) {
      for (int tid = 1; tid <= 7; ++tid) {
        EXPECT_TRUE(take(tid, {locks[i], ' ', locks[(i + 1) % locks.size()]}).empty());
      }
    }
  }
  EXPECT_EQ(graph_.left_out(), 0u);
}

TEST_F(LockGraphTest, Philosophers_CycleOnlyWithoutGate) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(
        take(i, std::string{static_cast<char>('A' + i), ' ', static_cast<char>('B' + i)}).empty());
  }
  EXPECT_TRUE(take(4, "A E").empty()) << "the last one picks up the other fork first";
  const auto cycles = take(5, "E A");
  ASSERT_EQ(cycles.size(), 1u);
}

TEST_F(LockGraphTest, TwoReaders_NoCycle) {
  EXPECT_TRUE(take(1, "Ar Br").empty());
  EXPECT_TRUE(take(2, "Br Ar").empty());
  EXPECT_TRUE(take(1, "Ar B").empty());
  EXPECT_TRUE(take(2, "B Ar").empty()) << "A is only read";
}

TEST_F(LockGraphTest, WriterAmongReaders_Cycle) {
  EXPECT_TRUE(take(1, "Ar Bw").empty());
  EXPECT_EQ(take(2, "Br Aw").size(), 1u);
}

TEST_F(LockGraphTest, ReinitialisedLock_Distinct) {
  EXPECT_TRUE(take(1, "A B").empty());
  EXPECT_TRUE(take(2, "B2 A2").empty());
  EXPECT_TRUE(take(1, "A3 B3").empty());
  EXPECT_LE(graph_.locks(), 2u);
}

TEST_F(LockGraphTest, HandOverHand_NoCycle) {
  EXPECT_TRUE(take(1, "A B").empty());
  EXPECT_TRUE(take(1, "B C").empty());
  EXPECT_TRUE(take(2, "A B").empty());
  EXPECT_TRUE(take(2, "B C").empty());
  EXPECT_TRUE(take(2, "C D").empty());
}

TEST_F(LockGraphTest, ReleasedByOther_LeftOut) {
  EXPECT_TRUE(take(1, "A B").empty());
  graph_.exclude(use("A").lock.address);
  EXPECT_TRUE(take(2, "B A").empty());
}

TEST_F(LockGraphTest, SameCycle_OncePerClosingThread) {
  EXPECT_TRUE(take(1, "A B").empty());
  EXPECT_EQ(take(2, "B A").size(), 1u);
  EXPECT_TRUE(take(2, "B A").empty()) << "told before";
}

TEST_F(LockGraphTest, MillionLocks_Bounded) {
  for (uint64_t i = 0; i < 300000; ++i) {
    auto acquisition = std::make_shared<Acquisition>();
    acquisition->tid = 1;
    acquisition->held = {{{64 * 2 * i, 1}, HeldKind::kMutex, 0}};
    acquisition->taken = {{64 * (2 * i + 1), 1}, HeldKind::kMutex, 0};
    EXPECT_TRUE(graph_.add(acquisition).empty());
  }
  EXPECT_EQ(graph_.locks(), LockGraph::kMostLocks);
  EXPECT_EQ(graph_.left_out(), 300000 - LockGraph::kMostLocks / 2);
}

}  // namespace
}  // namespace tailback
