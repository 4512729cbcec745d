// Who waits for ever, told from who waits for whom.
#include "runtime/locks/wait_graph.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace tailback {
namespace {

using Kind = Wait::Kind;

ThreadId thread(int tid) {
  return {1, tid};
}

Blocker any_of(std::initializer_list<int> tids) {
  Blocker blocker;
  for (const int tid : tids) blocker.threads.push_back(thread(tid));
  return blocker;
}

Wait wait(int tid, std::initializer_list<Blocker> blockers, Kind kind = Kind::kLock) {
  return {thread(tid), blockers, kind};
}

using Indexes = std::vector<size_t>;

TEST(WaitGraph, OwnerRuns_NoDeadlock) {
  EXPECT_TRUE(find_deadlocked_sets({}).empty());
  EXPECT_TRUE(find_deadlocked_sets({wait(1, {any_of({9})})}).empty());
  // A chain to a thread that does not wait.
  EXPECT_TRUE(find_deadlocked_sets({wait(1, {any_of({2})}), wait(2, {any_of({3})})}).empty());
  // Nothing is known of whom it waits for.
  EXPECT_TRUE(find_deadlocked_sets({wait(1, {})}).empty());
}

TEST(WaitGraph, CycleOfTwo_InOrder) {
  const auto deadlocked_sets =
      find_deadlocked_sets({wait(1, {any_of({2})}), wait(2, {any_of({1})})});
  ASSERT_EQ(deadlocked_sets.size(), 1u);
  EXPECT_EQ(deadlocked_sets[0].cycle, (Indexes{0, 1}));
  EXPECT_TRUE(deadlocked_sets[0].behind.empty());
}

TEST(WaitGraph, LongCycle_InOrder) {
  const auto deadlocked_sets =
      find_deadlocked_sets({wait(1, {any_of({3})}), wait(2, {any_of({1})}), wait(3, {any_of({4})}),
                            wait(4, {any_of({2})})});
  ASSERT_EQ(deadlocked_sets.size(), 1u);
  EXPECT_EQ(deadlocked_sets[0].cycle, (Indexes{0, 2, 3, 1}));
}

TEST(WaitGraph, SelfWait_Deadlock) {
  const auto deadlocked_sets = find_deadlocked_sets({wait(1, {any_of({1})})});
  ASSERT_EQ(deadlocked_sets.size(), 1u);
  EXPECT_EQ(deadlocked_sets[0].cycle, (Indexes{0}));
}

TEST(WaitGraph, LostOwner_Deadlock) {
  const auto deadlocked_sets = find_deadlocked_sets({wait(1, {Blocker{}}), wait(2, {any_of({1})})});
  ASSERT_EQ(deadlocked_sets.size(), 1u);
  EXPECT_EQ(deadlocked_sets[0].cycle, (Indexes{0}));
  EXPECT_EQ(deadlocked_sets[0].behind, (Indexes{1}));
}

TEST(WaitGraph, WaitersBehindCycle_NotInCycle) {
  const auto deadlocked_sets =
      find_deadlocked_sets({wait(1, {any_of({2})}), wait(2, {any_of({1})}), wait(3, {any_of({1})}),
                            wait(4, {any_of({3})}), wait(5, {any_of({9})})});
  ASSERT_EQ(deadlocked_sets.size(), 1u);
  EXPECT_EQ(deadlocked_sets[0].cycle, (Indexes{0, 1}));
  EXPECT_EQ(deadlocked_sets[0].behind, (Indexes{2, 3}));
}

TEST(WaitGraph, TwoCycles_TwoDeadlocks) {
  const auto deadlocked_sets =
      find_deadlocked_sets({wait(1, {any_of({2})}), wait(3, {any_of({4})}), wait(2, {any_of({1})}),
                            wait(4, {any_of({3})})});
  ASSERT_EQ(deadlocked_sets.size(), 2u);
  EXPECT_EQ(deadlocked_sets[0].cycle, (Indexes{0, 2}));
  EXPECT_EQ(deadlocked_sets[1].cycle, (Indexes{1, 3}));
}

TEST(WaitGraph, OneOfSeveralReaders_Deadlock) {
  // The writer needs both readers; one of them waits for the writer.
  EXPECT_EQ(
      find_deadlocked_sets({wait(1, {any_of({2}), any_of({9})}), wait(2, {any_of({1})})}).size(),
      1u);
}

TEST(WaitGraph, AnyWaker_AllMustWait) {
  const auto all = {wait(1, {any_of({2, 3})}, Kind::kIteration), wait(2, {any_of({1})})};
  EXPECT_TRUE(find_deadlocked_sets(all).empty());  // the third goes on
  EXPECT_EQ(find_deadlocked_sets({wait(1, {any_of({2, 3})}, Kind::kIteration),
                                  wait(2, {any_of({1})}), wait(3, {any_of({1})})})
                .size(),
            1u);
}

TEST(WaitGraph, ThreadsAtRest_DeadlockOnlyWithHeldLock) {
  const std::vector<Wait> pool = {wait(1, {any_of({2, 3})}, Kind::kRest),
                                  wait(2, {any_of({1, 3})}, Kind::kRest),
                                  wait(3, {any_of({1})}, Kind::kIteration)};
  EXPECT_TRUE(find_deadlocked_sets(pool).empty());
  EXPECT_EQ(
      find_deadlocked_sets({wait(1, {any_of({2})}, Kind::kRest), wait(2, {any_of({1})})}).size(),
      1u);
  EXPECT_EQ(find_deadlocked_sets({wait(1, {any_of({2})}, Kind::kIteration),
                                  wait(2, {any_of({1})}, Kind::kIteration)})
                .size(),
            1u);
}

TEST(WaitGraph, SameTidOtherProcess_Distinct) {
  std::vector<Wait> waits = {wait(1, {any_of({2})}), wait(2, {any_of({1})})};
  waits[1].thread.pid = 7;
  EXPECT_TRUE(find_deadlocked_sets(waits).empty());
}

TEST(WaitGraph, RingOfThousands_Fast) {
  std::vector<Wait> waits;
  constexpr int kThreads = 4000;
  for (int i = 0; i < kThreads; ++i) waits.push_back(wait(i, {any_of({(i + 1) % kThreads})}));
  const auto deadlocked_sets = find_deadlocked_sets(waits);
  ASSERT_EQ(deadlocked_sets.size(), 1u);
  EXPECT_EQ(deadlocked_sets[0].cycle.size(), static_cast<size_t>(kThreads));
  EXPECT_EQ(deadlocked_sets[0].cycle[1], 1u);
}

}  // namespace
}  // namespace tailback
