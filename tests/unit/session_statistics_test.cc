// What is said of a session's loops, threads and processes as a whole.
#include <gtest/gtest.h>

#include "instrument/contract/wait_key.h"
#include "tests/unit/scripted_target.h"

namespace tailback {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SessionStatisticsTest : public ::testing::Test {
 protected:
  std::vector<LoopStatistics> loops() {
    target_.proc_.by_tid.clear();  // the process ends
    detection_.run(milliseconds(20));
    return detection_.detection.summary().loops;
  }
  uint64_t stalls() const { return detection_.all<StallSeen>().size(); }
  void set_state(uint32_t thread, char state) {
    target_.proc_.by_tid[ScriptedTarget::tid_of(thread)].state = state;
  }

  ScriptedTarget target_;
  ScriptedLoop loop_{target_, 0};
  ScriptedDetection detection_{target_};
};

TEST_F(SessionStatisticsTest, NoStop_AsTheRecorderCounts) {
  loop_.iterate(9, milliseconds(10));
  loop_.begin_iteration();
  detection_.run(milliseconds(300));
  loop_.end_iteration();
  detection_.run(milliseconds(80));
  ASSERT_EQ(stalls(), 1u);
  const auto all = loops();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].iterations, 10u);
  EXPECT_EQ(all[0].longest, milliseconds(300));
  EXPECT_EQ(all[0].busy, milliseconds(390));
}

TEST_F(SessionStatisticsTest, StoppedWithinAnIteration_SaysNoMoreThanTheReports) {
  loop_.iterate(9, milliseconds(10));
  loop_.begin_iteration();
  detection_.run(milliseconds(40));
  set_state(0, 'T');
  detection_.run(seconds(2));
  set_state(0, 'S');
  detection_.run(milliseconds(20));
  loop_.end_iteration();
  detection_.run(milliseconds(80));
  EXPECT_EQ(stalls(), 0u);
  const auto all = loops();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].iterations, 10u);
  EXPECT_GE(all[0].longest, milliseconds(40));
  EXPECT_LE(all[0].longest, milliseconds(100));
  EXPECT_LE(all[0].p999, all[0].longest);
  EXPECT_GE(all[0].busy, milliseconds(130));
  EXPECT_LE(all[0].busy, milliseconds(190));
}

TEST_F(SessionStatisticsTest, StopWithinAStall_LongestIsTheStalls) {
  loop_.iterate(9, milliseconds(10));
  loop_.begin_iteration();
  detection_.run(milliseconds(400));
  set_state(0, 'T');
  detection_.run(seconds(2));
  set_state(0, 'S');
  detection_.run(milliseconds(20));
  loop_.end_iteration();
  detection_.run(milliseconds(80));
  const std::vector<StallSeen> seen = detection_.all<StallSeen>();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(loops().at(0).longest, seen[0].duration);
}

TEST_F(SessionStatisticsTest, AnalysisFindsLess_SoDoTheStatistics) {
  loop_.iterate(9, milliseconds(10));
  loop_.begin_iteration();
  detection_.run(milliseconds(300));
  loop_.end_iteration();
  detection_.run(milliseconds(80));
  const std::vector<StallSeen> seen = detection_.all<StallSeen>();
  ASSERT_EQ(seen.size(), 1u);
  detection_.verdicts.post(LengthJudged{seen[0].iteration_id, seen[0].duration, milliseconds(40)});
  detection_.run(milliseconds(20));
  const auto all = loops();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].longest, milliseconds(40));
  EXPECT_EQ(all[0].busy, milliseconds(130));
}

TEST_F(SessionStatisticsTest, AnalysisFindsNoLoopOnceTheThreadHasEnded_NotListed) {
  loop_.iterate(9, milliseconds(10));
  loop_.begin_iteration();
  detection_.run(milliseconds(300));
  loop_.end_iteration();
  detection_.run(milliseconds(80));
  const StallSeen seen = detection_.all<StallSeen>().at(0);
  ASSERT_EQ(loops().size(), 1u);
  detection_.verdicts.post(LengthJudged{seen.iteration_id, seen.duration, {}});
  detection_.detection.settle();
  ASSERT_EQ(loops().size(), 1u);
  EXPECT_LE(loops()[0].longest, milliseconds(12));
}

// Two threads of a pool that poll at one place and sleep in between.
class PoolTest : public SessionStatisticsTest {
 protected:
  PoolTest() {
    for (ScriptedLoop* worker : {&first_, &second_}) {
      contract::WaitSite& site = worker->site();
      site.function = static_cast<uint32_t>(intercept::Function::poll);
      site.key.store(contract::call_site_key(0x5000));
      site.call_site = 0x5000;
    }
    loop_.iterate(9, milliseconds(10));
  }
  void work(ScriptedLoop& worker) {
    worker.iterate(8, milliseconds(1));
    worker.begin_iteration();
    detection_.run(milliseconds(240));
    worker.end_iteration();
    detection_.run(milliseconds(80));
  }

  ScriptedLoop first_{target_, 1, 0, 6};
  ScriptedLoop second_{target_, 2, 0, 7};
};

TEST_F(PoolTest, Workers_AreNotAmongTheLoops) {
  for (int i = 0; i < 3; ++i) {
    work(first_);
    work(second_);
  }
  EXPECT_EQ(stalls(), 0u);
  const auto all = loops();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].tid, ScriptedTarget::tid_of(0));
  EXPECT_LE(all[0].longest, milliseconds(10));
}

TEST_F(PoolTest, LastOfThem_IsStillAWorker) {
  work(first_);
  work(second_);
  target_.exit_thread(1);
  work(second_);
  EXPECT_EQ(stalls(), 0u);
  EXPECT_EQ(loops().size(), 1u);
}

TEST_F(PoolTest, OneThatIsAlone_IsALoopWithItsStall) {
  target_.exit_thread(1);
  work(second_);
  EXPECT_EQ(stalls(), 1u);
  EXPECT_EQ(loops().size(), 2u);
}

TEST_F(SessionStatisticsTest, ThreadsThatEndedBetweenPolls_Counted) {
  target_.segment().header.threads_attached.store(4);
  detection_.run(milliseconds(20));
  EXPECT_EQ(detection_.detection.summary().threads, 4u);
}

TEST_F(SessionStatisticsTest, ProcessThatExecutesAProgram_IsOne) {
  detection_.run(milliseconds(20));
  contract::ProcessRecord& program = target_.segment().processes[1];
  program.pid.store(ScriptedTarget::kPid);
  program.generation.store(1);
  program.attached = target_.clock_.now();
  program.state.store(static_cast<uint32_t>(contract::ProcessState::kLive));
  target_.segment().header.processes_used.store(2);
  target_.segment().header.threads_attached.store(2);
  detection_.run(milliseconds(20));
  EXPECT_EQ(detection_.detection.summary().processes, 1u);
  EXPECT_EQ(detection_.detection.summary().threads, 1u);
}

}  // namespace
}  // namespace tailback
