// The orders of locks and the waits for them, over stacks that the test gives.
#include <gtest/gtest.h>

#include "runtime/analysis/contention_analyzer.h"
#include "runtime/analysis/deadlock_analyzer.h"
#include "runtime/analysis/lock_order_analyzer.h"
#include "tests/unit/fake_stacks.h"
#include "tests/unit/recording_reporter.h"

namespace tailback {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kFirstLock = 0x1000;
constexpr uint64_t kSecondLock = 0x2000;
constexpr uint64_t kFirstSite = 0x401;
constexpr uint64_t kSecondSite = 0x402;
constexpr int kPid = 100;

class LockOrderAnalyzerTest : public ::testing::Test {
 protected:
  LockOrderAnalyzerTest() {
    stacks.frames[kFirstSite] = stack_of({"take_first", "main"});
    stacks.frames[kSecondSite] = stack_of({"take_second", "main"});
    stacks.variables[kFirstLock] = "first";
    stacks.variables[kSecondLock] = "second";
  }

  // Thread `tid` takes `taken` at `site` while it holds `held`.
  AcquisitionSeen acquisition(int tid, uint64_t held, uint64_t taken, uint64_t site, int pid = kPid,
                              uint32_t generation = 1) {
    AcquisitionSeen seen;
    seen.pid = pid;
    seen.generation = generation;
    seen.process = "server";
    seen.acquisition.tid = tid;
    seen.acquisition.tick = ++tick_;
    seen.acquisition.taken = {{taken, 1}, contract::HeldKind::kMutex, site};
    seen.acquisition.held = {{{held, 1}, contract::HeldKind::kMutex, site}};
    seen.snapshot = std::make_shared<const Snapshot>(snapshot_at(site));
    seen.modules = seen.snapshot->modules;
    return seen;
  }
  void take_in_both_orders(int pid = kPid) {
    analyzer.analyze(acquisition(pid + 1, kFirstLock, kSecondLock, kFirstSite, pid));
    analyzer.analyze(acquisition(pid + 2, kSecondLock, kFirstLock, kSecondSite, pid));
  }
  SessionEnd end() {
    SessionEnd end;
    analyzer.add_counts(end);
    return end;
  }
  Counts counts() { return end().counts[RecordKind::kLockOrder]; }

  FakeReader fake;
  FakeStacks& stacks = *fake.stacks;
  RecordingReporter reporter;
  std::set<int> ended;
  LockOrderAnalyzer analyzer{fake.reader, reporter,
                             [this](int pid) { return ended.contains(pid); }};

 private:
  uint64_t tick_ = 0;
};

TEST_F(LockOrderAnalyzerTest, BothOrders_AreReportedWithTheirStacks) {
  take_in_both_orders();
  ASSERT_EQ(reporter.all<LockOrder>().size(), 1u);
  const LockOrder order = reporter.all<LockOrder>()[0];
  EXPECT_EQ(order.pid, kPid);
  EXPECT_EQ(order.process, "server");
  ASSERT_EQ(order.steps.size(), 2u);
  std::set<std::string> names;
  std::set<std::string> functions;
  for (const OrderedLock& lock : order.locks) names.insert(lock.name);
  for (const LockStep& step : order.steps) functions.insert(step.stack.at(0).function);
  EXPECT_EQ(names, (std::set<std::string>{"first", "second"}));
  EXPECT_EQ(functions, (std::set<std::string>{"take_first", "take_second"}));
  EXPECT_EQ(counts().reported, 1u);
}

TEST_F(LockOrderAnalyzerTest, SameOrder_IsNotReported) {
  analyzer.analyze(acquisition(1, kFirstLock, kSecondLock, kFirstSite));
  analyzer.analyze(acquisition(2, kFirstLock, kSecondLock, kSecondSite));
  EXPECT_TRUE(reporter.all<LockOrder>().empty());
  EXPECT_FALSE(counts().any() || end().losses.any());
}

TEST_F(LockOrderAnalyzerTest, ReleaseByNonOwner_ExcludesTheLock) {
  AcquisitionSeen released = acquisition(1, kFirstLock, kSecondLock, kFirstSite);
  released.released = true;
  analyzer.analyze(released);
  take_in_both_orders();
  EXPECT_TRUE(reporter.all<LockOrder>().empty());
}

TEST_F(LockOrderAnalyzerTest, HeapLockOfUnseenFrees_IsUnsure) {
  stacks.variables.clear();
  take_in_both_orders();
  EXPECT_TRUE(reporter.all<LockOrder>().empty());
  EXPECT_EQ(counts().lost, 1u);
}

TEST_F(LockOrderAnalyzerTest, SeveralPrograms_DoNotMix) {
  analyzer.analyze(acquisition(1, kFirstLock, kSecondLock, kFirstSite, kPid, 1));
  analyzer.analyze(acquisition(2, kSecondLock, kFirstLock, kSecondSite, kPid, 2));
  EXPECT_TRUE(reporter.all<LockOrder>().empty());
}

TEST_F(LockOrderAnalyzerTest, EvictedLiveProgram_IsCountedApartFromAcquisitions) {
  const int most = static_cast<int>(LockOrderAnalyzer::kMostPrograms);
  for (int i = 0; i <= most; ++i) {
    analyzer.analyze(acquisition(1, kFirstLock, kSecondLock, kFirstSite, 1000 + i));
  }
  EXPECT_EQ(end().losses.lock_programs, 1u);
  EXPECT_EQ(end().losses.lock_acquisitions, 0u);
}

TEST_F(LockOrderAnalyzerTest, EvictedEndedProgram_IsNoLoss) {
  const int most = static_cast<int>(LockOrderAnalyzer::kMostPrograms);
  ended.insert(1000);
  for (int i = 0; i <= most; ++i) {
    analyzer.analyze(acquisition(1, kFirstLock, kSecondLock, kFirstSite, 1000 + i));
  }
  EXPECT_FALSE(counts().any() || end().losses.any());
}

class ContentionAnalyzerTest : public ::testing::Test {
 protected:
  ContentionAnalyzerTest() {
    stacks.frames[kFirstSite] = stack_of({"worker", "main"});
    stacks.frames[kSecondSite] = stack_of({"owner", "main"});
    stacks.variables[kFirstLock] = "cache_mutex";
  }

  static ContentionSeen news(uint32_t entry = 0) {
    ContentionSeen seen;
    seen.entry = entry;
    seen.pid = kPid;
    seen.process = "server";
    seen.address = kFirstLock;
    seen.kind = "mutex";
    seen.modules = std::make_shared<const ModuleMap>();
    return seen;
  }
  void see_place(uint64_t call_site) {
    ContentionSeen seen = news();
    seen.call_sites = {call_site};
    analyzer.analyze(seen);
  }
  void see_wait(int length) {
    const auto sample = [](uint64_t stack) {
      auto one = std::make_shared<Sample>();
      one->snapshot = snapshot_at(stack);
      return one;
    };
    ContentionSeen seen = news();
    seen.wait.emplace(ContentionSeen::WaitingThread{sample(kFirstSite), sample(kSecondSite),
                                                    milliseconds(length)});
    analyzer.analyze(seen);
  }
  void see_totals(uint64_t waits, int total, uint32_t entry = 0) {
    ContentionSeen seen = news(entry);
    seen.totals.emplace();
    seen.totals->waits = waits;
    seen.totals->total = milliseconds(total);
    seen.totals->longest = milliseconds(total);
    seen.totals->places = {{kFirstSite, waits, milliseconds(total), milliseconds(total)}};
    analyzer.analyze(seen);
  }

  FakeReader fake;
  FakeStacks& stacks = *fake.stacks;
  RecordingReporter reporter;
  ContentionAnalyzer analyzer{fake.reader, reporter};
};

TEST_F(ContentionAnalyzerTest, Lock_HasNamePlacesAndStacks) {
  see_place(kFirstSite);
  see_wait(5);
  see_wait(7);
  see_totals(3, 40);
  EXPECT_TRUE(reporter.all<Contention>().empty());
  analyzer.finish();
  ASSERT_EQ(reporter.all<Contention>().size(), 1u);
  const Contention lock = reporter.all<Contention>()[0];
  EXPECT_EQ(lock.lock.name, "cache_mutex");
  EXPECT_EQ(lock.waits, 3u);
  ASSERT_EQ(lock.places.size(), 1u);
  EXPECT_EQ(lock.places[0].frame.function, "worker");
  ASSERT_EQ(lock.waiters.size(), 1u);
  EXPECT_EQ(lock.waiters[0].samples, 2u);
  EXPECT_EQ(lock.waiters[0].weight, milliseconds(12));
  ASSERT_EQ(lock.owners.size(), 1u);
  EXPECT_EQ(lock.owners[0].stack[0].function, "owner");
}

TEST_F(ContentionAnalyzerTest, TwoEntriesOfOneLock_AreMerged) {
  see_place(kFirstSite);
  see_totals(3, 40, 0);
  see_totals(2, 20, 1);
  analyzer.finish();
  ASSERT_EQ(reporter.all<Contention>().size(), 1u);
  EXPECT_EQ(reporter.all<Contention>()[0].waits, 5u);
  EXPECT_EQ(reporter.all<Contention>()[0].total, milliseconds(60));
  EXPECT_EQ(reporter.all<Contention>()[0].longest, milliseconds(40));
  EXPECT_EQ(analyzer.locks(), 1u);
}

TEST_F(ContentionAnalyzerTest, LockWithoutFinishedWaits_IsLeftOut) {
  see_wait(5);
  see_totals(0, 0);
  analyzer.finish();
  EXPECT_TRUE(reporter.all<Contention>().empty());
}

TEST(DeadlockAnalyzer, Cycle_NamesWhatEachThreadWantsAndHolds) {
  FakeReader fake;
  fake.stacks->frames[kFirstSite] = stack_of({"transfer", "main"});
  fake.stacks->variables[kFirstLock] = "first";
  fake.stacks->variables[kSecondLock] = "second";
  RecordingReporter reporter;
  LockNames names(fake.reader);
  DeadlockAnalyzer analyzer(fake.reader, names, reporter);
  DeadlockSeen seen;
  for (const uint64_t wanted : {kFirstLock, kSecondLock}) {
    DeadlockedThreadSample thread;
    thread.pid = kPid;
    thread.tid = static_cast<int>(wanted);
    thread.wants.address = RemoteAddress(wanted);
    thread.wants.owner = 1;
    thread.holders_known = true;
    thread.waits_for = {seen.threads.empty() ? size_t{1} : size_t{0}};
    auto sample = std::make_shared<Sample>();
    sample->snapshot = snapshot_at(kFirstSite);
    thread.sample = sample;
    seen.threads.push_back(thread);
  }
  analyzer.analyze(seen);
  ASSERT_EQ(reporter.all<Deadlock>().size(), 1u);
  const Deadlock deadlock = reporter.all<Deadlock>()[0];
  ASSERT_EQ(deadlock.threads.size(), 2u);
  EXPECT_EQ(deadlock.threads[0].wants.name, "first");
  ASSERT_EQ(deadlock.threads[0].holds.size(), 1u);
  EXPECT_EQ(deadlock.threads[0].holds[0].name, "second");
  EXPECT_EQ(deadlock.threads[0].stack[0].function, "transfer");
  EXPECT_FALSE(deadlock.advice.empty());
  EXPECT_EQ(analyzer.deadlocks(), 1u);
}

}  // namespace
}  // namespace tailback
