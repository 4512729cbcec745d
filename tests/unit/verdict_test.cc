// From figures to the answer: each branch of the decision tree, and how sure it is.
#include "runtime/advise/verdict.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace tailback {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Ten seconds of a program with nothing to do, on four CPUs, seen well.
Measurement resting() {
  Measurement m;
  m.duration = seconds(10);
  m.samples = 1000;
  m.cpus = 4;
  m.program.resting = seconds(10);
  m.processes_seen = 1;
  m.threads_seen = 1;
  m.most_threads = 1;
  return m;
}

Nanoseconds& blocked(Measurement& m, Activity activity) {
  return m.threads.blocked[static_cast<size_t>(activity)];
}

// The same time, in which `threads` could run, each of them.
Measurement computing(int threads) {
  Measurement m = resting();
  m.program = {seconds(10), {}, {}, {}};
  m.threads.on_cpu = seconds(10) * threads;
  m.computing_threads = static_cast<uint64_t>(threads);
  m.computing_processes = 1;
  return m;
}

// … in which so many operations are under way.
Measurement waiting(uint64_t in_flight, Activity activity = Activity::kSocket) {
  Measurement m = resting();
  m.program = {{}, seconds(10), {}, {}};
  blocked(m, activity) = seconds(10) * static_cast<int64_t>(in_flight);
  m.in_flight = {seconds(10), static_cast<double>(in_flight), in_flight, in_flight, in_flight, 100};
  return m;
}

void expect(const Verdict& verdict, Limit limit, Model model, bool change,
            Confidence confidence = Confidence::kHigh) {
  EXPECT_EQ(word(verdict.limit), word(limit)) << verdict.finding;
  EXPECT_EQ(word(verdict.model), word(model)) << verdict.finding;
  EXPECT_EQ(verdict.change, change) << verdict.finding;
  EXPECT_EQ(word(verdict.confidence), word(confidence))
      << (verdict.doubts.empty() ? verdict.finding : verdict.doubts.front());
  EXPECT_FALSE(verdict.finding.empty());
  EXPECT_FALSE(verdict.advice.empty());
  EXPECT_EQ(verdict.doubts.empty(), confidence == Confidence::kHigh);
}

bool says(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

TEST(Verdict, NothingWrong_KeepAsIs) {
  expect(judge(resting()), Limit::kNothing, Model::kNone, false);
}

TEST(Verdict, HealthyServer_NothingWrong) {
  Measurement m = resting();
  m.loops = 1;
  m.descriptors = 12;
  const Verdict verdict = judge(m);
  expect(verdict, Limit::kNothing, Model::kEventLoop, false);
  EXPECT_TRUE(says(verdict.advice, "nothing blocks it"));
}

TEST(Verdict, HousekeepingThread_LoopKept) {
  Measurement m = waiting(1, Activity::kSleep);
  m.loops = 1;
  expect(judge(m), Limit::kNothing, Model::kEventLoop, false);
}

TEST(Verdict, EventLoopManyWaits_LoopKept) {
  Measurement m = resting();
  m.loops = 1;
  m.descriptors = 1000;
  const Verdict verdict = judge(m);
  expect(verdict, Limit::kIo, Model::kEventLoop, false);
  EXPECT_TRUE(says(verdict.finding, "1000 descriptors"));
}

TEST(Verdict, FewWaitsInThreads_ThreadsKept) {
  expect(judge(waiting(10)), Limit::kIo, Model::kThreads, false);
}

TEST(Verdict, ManyWaitsInThreads_EventLoop) {
  expect(judge(waiting(400)), Limit::kIo, Model::kEventLoop, true);
}

TEST(Verdict, BetweenFewAndManyWaits_LowerConfidence) {
  expect(judge(waiting(70)), Limit::kIo, Model::kThreads, false, Confidence::kMedium);
  expect(judge(waiting(130)), Limit::kIo, Model::kEventLoop, true, Confidence::kMedium);
}

TEST(Verdict, WaitsInProcesses_EventLoop) {
  Measurement m = waiting(10);
  m.processes_seen = 11;
  m.computing_processes = 11;
  expect(judge(m), Limit::kIo, Model::kThreads, true);
}

TEST(Verdict, HundredsOfThreadsBesideLoop_EventLoop) {
  Measurement m = waiting(400);
  m.loops = 1;
  const Verdict verdict = judge(m);
  expect(verdict, Limit::kIo, Model::kEventLoop, true);
  EXPECT_TRUE(says(verdict.advice, "Let the event loop wait"));
}

TEST(Verdict, SequentialWaits_Overlap) {
  const Verdict verdict = judge(waiting(1));
  expect(verdict, Limit::kSequentialIo, Model::kThreads, true);
  EXPECT_FALSE(says(verdict.finding, "sleeps"));
  EXPECT_TRUE(says(judge(waiting(1, Activity::kSleep)).finding, "or sleeps"));
}

TEST(Verdict, SingleWait_KeepAsIs) {
  Measurement m = waiting(1);
  m.in_flight.operations = 1;
  expect(judge(m), Limit::kIo, Model::kNone, false);
}

TEST(Verdict, NativeComputing_Threads) {
  const Verdict verdict = judge(computing(1));
  expect(verdict, Limit::kCpu, Model::kThreads, true);
  EXPECT_TRUE(says(verdict.finding, "1.0 threads"));
}

TEST(Verdict, PythonComputing_Processes) {
  Measurement m = computing(1);
  m.interpreter = "python";
  const Verdict verdict = judge(m);
  expect(verdict, Limit::kCpu, Model::kProcesses, true);
  EXPECT_TRUE(says(verdict.advice, "ProcessPoolExecutor"));
}

TEST(Verdict, NodeComputing_WorkerThreads) {
  Measurement m = computing(1);
  m.interpreter = "node";
  const Verdict verdict = judge(m);
  expect(verdict, Limit::kCpu, Model::kProcesses, true);
  EXPECT_TRUE(says(verdict.advice, "worker_threads"));
}

TEST(Verdict, ComputingLoop_NamesFunction) {
  Measurement m = computing(1);
  m.loops = 1;
  m.computing_loop.stalls = 3;
  m.computing_loop.total = seconds(8);
  m.computing_loop.culprit.function = "resize";
  const Verdict verdict = judge(m);
  expect(verdict, Limit::kCpu, Model::kThreads, true);
  EXPECT_TRUE(says(verdict.advice, "resize"));
}

TEST(Verdict, AllCpusBusy_SaysSo) {
  expect(judge(computing(4)), Limit::kCpu, Model::kThreads, false);
  Measurement m = computing(4);
  m.processes_seen = 5;
  m.computing_processes = 4;
  expect(judge(m), Limit::kCpu, Model::kProcesses, false);
  m.loops = 1;  // in which their answers are waited for
  expect(judge(m), Limit::kCpu, Model::kProcesses, false);
}

TEST(Verdict, OneCpuUsed_Parallelize) {
  Measurement m = computing(1);
  m.cpus = 1;
  expect(judge(m), Limit::kCpu, Model::kNone, false);
}

TEST(Verdict, InterpreterLock_Processes) {
  Measurement m = computing(1);
  m.interpreter = "python";
  blocked(m, Activity::kGil) = seconds(30);
  m.computing_threads = 4;
  expect(judge(m), Limit::kGil, Model::kProcesses, true);
}

TEST(Verdict, Lock_NamesLock) {
  Measurement m = waiting(1);
  blocked(m, Activity::kLock) = seconds(70);
  Verdict verdict = judge(m);
  expect(verdict, Limit::kLock, Model::kThreads, true);
  EXPECT_TRUE(says(verdict.advice, "--locks"));
  m.lock = "journal";
  verdict = judge(m);
  EXPECT_TRUE(says(verdict.finding, "journal"));
  EXPECT_FALSE(says(verdict.advice, "--locks"));
}

TEST(Verdict, MoreThreadsThanCpus_FewerThreads) {
  Measurement m = computing(4);
  m.threads.runnable = seconds(60);
  m.computing_threads = 10;
  expect(judge(m), Limit::kNoCpu, Model::kThreads, true);
}

TEST(Verdict, CpuQuota_NamesQuota) {
  Measurement m = computing(1);
  m.throttled = seconds(5);
  expect(judge(m), Limit::kNoCpu, Model::kNone, true);
}

TEST(Verdict, BusyMachine_LowerConfidence) {
  Measurement m = computing(1);
  m.threads.on_cpu = seconds(5);
  m.threads.runnable = seconds(5);
  const Verdict verdict = judge(m);
  expect(verdict, Limit::kCpu, Model::kThreads, true, Confidence::kMedium);
  EXPECT_TRUE(says(verdict.doubts.front(), "the machine was busy"));
}

TEST(Verdict, CpuTakenByOthers_NotCounted) {
  Measurement m = waiting(1);
  m.program = {seconds(6), seconds(4), {}, {}};
  m.threads.on_cpu = seconds(1);
  m.threads.runnable = seconds(5);
  const Verdict verdict = judge(m);
  expect(verdict, Limit::kSequentialIo, Model::kThreads, true, Confidence::kMedium);
  EXPECT_TRUE(says(verdict.finding, "80 % of the time")) << verdict.finding;
}

TEST(Verdict, ProcessPerShortTask_Pool) {
  Measurement m = waiting(1);
  m.spawning = {500, 500, milliseconds(12), seconds(6), true, milliseconds(4)};
  const Verdict verdict = judge(m);
  expect(verdict, Limit::kSpawning, Model::kThreads, true);
  EXPECT_TRUE(says(verdict.finding, "4.0 ms to start"));
}

TEST(Verdict, CheapProcessStarts_LowerConfidence) {
  Measurement m = resting();
  m.spawning = {500, 500, milliseconds(12), seconds(6), true, Nanoseconds(50'000)};
  expect(judge(m), Limit::kSpawning, Model::kThreads, true, Confidence::kMedium);
}

TEST(Verdict, FewShortProcesses_Ignored) {
  Measurement m = computing(4);
  m.spawning = {40, 40, milliseconds(10), milliseconds(400), true, milliseconds(4)};
  expect(judge(m), Limit::kCpu, Model::kThreads, false);
}

TEST(Verdict, ProcessesWithLongTasks_Kept) {
  Measurement m = computing(4);
  m.processes_seen = 41;
  m.computing_processes = 4;
  m.spawning = {40, 0, {}, {}, true, milliseconds(4)};
  expect(judge(m), Limit::kCpu, Model::kProcesses, false);
}

TEST(Verdict, BlockingCallInLoop_NamesCall) {
  Measurement m = resting();
  m.loops = 1;
  m.blocked_loop.cause = Cause::kDns;
  m.blocked_loop.call = "getaddrinfo";
  m.blocked_loop.culprit.function = "resolve";
  m.blocked_loop.culprit.file = "/src/client.cc";
  m.blocked_loop.culprit.line = 42;
  m.blocked_loop.stalls = 2;
  m.blocked_loop.total = seconds(4);
  const Verdict verdict = judge(m);
  expect(verdict, Limit::kBlockedLoop, Model::kEventLoop, true);
  EXPECT_TRUE(says(verdict.finding, "getaddrinfo() in resolve (client.cc:42)"));
  EXPECT_TRUE(says(verdict.finding, "2 times"));
}

TEST(Verdict, FewStalls_Ignored) {
  Measurement m = resting();
  m.loops = 1;
  m.blocked_loop.stalls = 1;
  m.blocked_loop.total = milliseconds(200);
  expect(judge(m), Limit::kNothing, Model::kEventLoop, false);
}

TEST(Verdict, ShortBlockingCalls_Named) {
  Measurement m = resting();
  m.loops = 1;
  m.blocked_loops = seconds(3);
  m.loop_call = "fsync";
  const Verdict verdict = judge(m);
  expect(verdict, Limit::kBlockedLoop, Model::kEventLoop, true);
  EXPECT_TRUE(says(verdict.finding, "fsync()"));
}

TEST(Verdict, TooShortRun_NoVerdict) {
  Measurement m = computing(1);
  m.duration = milliseconds(20);
  expect(judge(m), Limit::kUnknown, Model::kNone, false, Confidence::kLow);
  m = computing(1);
  m.samples = 3;
  EXPECT_EQ(judge(m).limit, Limit::kUnknown);
}

TEST(Verdict, ShortRun_LowConfidence) {
  Measurement m = computing(1);
  m.duration = milliseconds(200);
  expect(judge(m), Limit::kCpu, Model::kThreads, true, Confidence::kLow);
}

TEST(Verdict, NothingWrong_NeedsLongerRun) {
  Measurement m = resting();
  m.duration = seconds(1);
  expect(judge(m), Limit::kNothing, Model::kNone, false, Confidence::kMedium);
}

TEST(Verdict, NearDecisionBound_LowerConfidence) {
  Measurement m = computing(1);
  m.program = {milliseconds(3500), {}, {}, milliseconds(6500)};
  m.threads.on_cpu = milliseconds(3500);
  expect(judge(m), Limit::kCpu, Model::kThreads, true, Confidence::kMedium);
}

TEST(Verdict, BetweenComputingAndWaiting_LowerConfidence) {
  Measurement m = computing(1);
  m.program = {milliseconds(5500), milliseconds(4500), {}, {}};
  m.threads.on_cpu = milliseconds(5500);
  expect(judge(m), Limit::kCpu, Model::kThreads, true, Confidence::kMedium);
  m = waiting(10);
  m.program = {milliseconds(4500), milliseconds(5500), {}, {}};
  m.threads.on_cpu = milliseconds(4500);
  expect(judge(m), Limit::kIo, Model::kThreads, false, Confidence::kMedium);
}

TEST(Verdict, PartlyObserved_LowerConfidence) {
  Measurement m = computing(1);
  m.incomplete = true;
  expect(judge(m), Limit::kCpu, Model::kThreads, true, Confidence::kMedium);
  m = computing(1);
  blocked(m, Activity::kUnknown) = seconds(10);
  expect(judge(m), Limit::kCpu, Model::kThreads, true, Confidence::kMedium);
}

TEST(Verdict, ThreadsNotObserved_NoVerdict) {
  Measurement m = resting();
  m.threads_seen = 0;
  const Verdict verdict = judge(m);
  EXPECT_EQ(verdict.limit, Limit::kUnknown);
  EXPECT_EQ(verdict.confidence, Confidence::kLow);
}

TEST(Verdict, NothingMeasured_NoVerdict) {
  const Verdict verdict = judge({});
  EXPECT_EQ(verdict.limit, Limit::kUnknown);
  EXPECT_EQ(verdict.confidence, Confidence::kLow);
}

}  // namespace
}  // namespace tailback
