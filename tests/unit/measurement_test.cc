// What the advice is measured with: the clocks of threads and of the program, the culprits of
// loops, the memory of stacks, the kinds of programs.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "runtime/advise/activity.h"
#include "runtime/advise/loop_blockers.h"
#include "runtime/advise/process_lifetimes.h"
#include "runtime/advise/program_clock.h"
#include "runtime/advise/program_kind.h"
#include "runtime/advise/stack_memory.h"
#include "runtime/advise/thread_clock.h"

namespace tailback {
namespace {

using std::chrono::milliseconds;

TEST(ThreadClock, Running_FromKernelRestFromSamples) {
  ThreadClock clock({milliseconds(5), milliseconds(1)});
  clock.look(milliseconds(30), Activity::kSocket, {});
  clock.look(milliseconds(10), Activity::kFile, {});
  clock.look(milliseconds(60), {}, ScheduleTimes{milliseconds(45), milliseconds(21)});
  const ThreadTime spent = clock.spent();
  EXPECT_EQ(spent.on_cpu, milliseconds(40));
  EXPECT_EQ(spent.runnable, milliseconds(20));
  // 40 ms of 100 are left, of which three quarters were at the socket.
  EXPECT_EQ(spent.in(Activity::kSocket), milliseconds(30));
  EXPECT_EQ(spent.in(Activity::kFile), milliseconds(10));
}

TEST(ThreadClock, NoSample_Unknown) {
  ThreadClock clock({});
  clock.look(milliseconds(100), {}, ScheduleTimes{milliseconds(30), {}});
  EXPECT_EQ(clock.spent().in(Activity::kUnknown), milliseconds(70));
}

TEST(ThreadClock, CountersAhead_NothingLeft) {
  ThreadClock clock({});
  clock.look(milliseconds(10), Activity::kLock, ScheduleTimes{milliseconds(30), {}});
  EXPECT_EQ(clock.spent().in(Activity::kLock), Nanoseconds::zero());
  ThreadClock backwards({milliseconds(30), milliseconds(30)});
  backwards.look(milliseconds(10), Activity::kLock, ScheduleTimes{});
  EXPECT_EQ(backwards.spent().on_cpu, Nanoseconds::zero());
  EXPECT_EQ(backwards.spent().in(Activity::kLock), milliseconds(10));
}

TEST(ProgramClock, SeveralThreads_EachMomentOnce) {
  ProgramClock clock;
  clock.look(milliseconds(1), {1, 1.0, 5, 5});
  clock.look(milliseconds(2), {0, 1.0, 5, 5});
  clock.look(milliseconds(4), {0, 1.0, 0, 5});
  clock.look(milliseconds(8), {0, 1.0, 0, 0});
  EXPECT_EQ(clock.time().computing, milliseconds(1));
  EXPECT_EQ(clock.time().waiting, milliseconds(2));
  EXPECT_EQ(clock.time().locked, milliseconds(4));
  EXPECT_EQ(clock.time().resting, milliseconds(8));
  EXPECT_EQ(clock.time().all(), milliseconds(15));
  EXPECT_EQ(clock.looks(), 4u);
}

TEST(ProgramClock, ManyThreads_ShareComputing) {
  ProgramClock clock;
  clock.look(milliseconds(100), {800, 0.25, 100, 0});
  clock.look(milliseconds(100), {800, 7.0, 0, 0});
  EXPECT_EQ(clock.time().computing, milliseconds(125));
  EXPECT_EQ(clock.time().waiting, milliseconds(75));
}

TEST(ProgramClock, Operations_WeightedByTime) {
  ProgramClock clock;
  EXPECT_EQ(clock.in_flight().most, 0u);
  clock.look(milliseconds(60), {0, 1.0, 1, 0});
  clock.look(milliseconds(35), {1, 1.0, 10, 0});
  clock.look(milliseconds(5), {0, 1.0, 100, 0});
  clock.look(milliseconds(900), {0, 1.0, 0, 0});
  for (int i = 0; i < 3; ++i) clock.count_operation();
  const InFlight flight = clock.in_flight();
  EXPECT_EQ(flight.time, milliseconds(100));
  EXPECT_DOUBLE_EQ(flight.mean, 0.6 + 3.5 + 5);
  EXPECT_EQ(flight.p50, 1u);
  EXPECT_EQ(flight.p90, 10u);
  EXPECT_EQ(flight.most, 100u);
  EXPECT_EQ(flight.operations, 3u);
}

TEST(ProcessLifetimes, OverlappingLifetimes_CountedOnce) {
  EXPECT_EQ(ProcessLifetimes::covered({}), 0u);
  EXPECT_EQ(ProcessLifetimes::covered({{50, 60}, {10, 20}, {15, 30}, {16, 18}, {30, 31}}), 31u);
}

Stall stall(Cause cause, const std::string& culprit, milliseconds duration) {
  Stall stall;
  stall.cause = cause;
  stall.fingerprint = culprit;
  stall.duration = duration;
  stall.stack.resize(1);
  stall.stack[0].function = culprit;
  return stall;
}

TEST(LoopBlockers, Stalls_SummedByCulprit) {
  LoopBlockers troubles;
  EXPECT_EQ(troubles.worst_call().stalls, 0u);
  troubles.add(stall(Cause::kFile, "save", milliseconds(300)));
  troubles.add(stall(Cause::kSleep, "retry", milliseconds(200)));
  troubles.add(stall(Cause::kSleep, "retry", milliseconds(250)));
  troubles.add(stall(Cause::kCpu, "parse", milliseconds(400)));
  troubles.add(stall(Cause::kRunQueueWait, "anything", milliseconds(9000)));
  const LoopTrouble worst = troubles.worst_call();
  EXPECT_EQ(worst.culprit.function, "retry");
  EXPECT_EQ(worst.stalls, 2u);
  EXPECT_EQ(worst.total, milliseconds(450));
  EXPECT_EQ(worst.longest, milliseconds(250));
  EXPECT_EQ(troubles.worst_computing().culprit.function, "parse");
}

TEST(LoopBlockers, ManyCalls_CountedAsMostFrequent) {
  LoopBlockers troubles;
  Stall many = stall(Cause::kMany, "query", milliseconds(300));
  many.spent.blocked = milliseconds(290);
  many.contributors.push_back({"recv", {}, 30, milliseconds(280), milliseconds(20)});
  troubles.add(many);
  EXPECT_EQ(troubles.worst_call().call, "recv");
  many.spent = {};
  many.spent.on_cpu = milliseconds(290);
  many.fingerprint = "other";
  troubles.add(many);
  EXPECT_EQ(troubles.worst_computing().stalls, 1u);
}

TEST(StackMemory, StackPointers_MappingsSummed) {
  const std::string smaps =
      "7f0000000000-7f0000800000 rw-p 00000000 00:00 0 \n"
      "Size:               8192 kB\n"
      "Rss:                  24 kB\n"
      "7f0001000000-7f0001800000 rw-p 00000000 00:00 0 \n"
      "Rss:                 400 kB\n"
      "7f0002000000-7f0002800000 rw-p 00000000 00:00 0 \n"
      "Rss:                   8 kB\n"
      "nonsense\n";
  const StackMemory memory = stack_memory(smaps, {0x7f0002400000, 0x7f00007ff000, 0x10});
  EXPECT_EQ(memory.threads, 2u);
  EXPECT_EQ(memory.bytes, 32u * 1024);
  EXPECT_EQ(stack_memory("", {1}).threads, 0u);
  EXPECT_EQ(stack_memory("ff-00 rw-p\nRss: 1 kB\n", {1}).threads, 0u);
}

TEST(StackMemory, OwnProcess_Measured) {
  volatile int here = 0;
  const auto pointer = reinterpret_cast<uint64_t>(&here);
  const StackMemory memory = read_stack_memory(getpid(), {pointer});
  EXPECT_EQ(memory.threads, 1u);
  EXPECT_GT(memory.bytes, 0u);
  EXPECT_GT(read_resident_bytes(getpid()), memory.bytes);
}

std::string_view interpreter_with(const std::string& path) {
  Mapping mapping;
  mapping.begin = RemoteAddress(0x1000);
  mapping.end = RemoteAddress(0x2000);
  mapping.executable = true;
  mapping.path = path;
  return interpreter_of(ModuleMap({mapping}));
}

TEST(ProgramKind, FileNames_DecideKind) {
  EXPECT_EQ(interpreter_with("/usr/bin/python3.11"), "python");
  EXPECT_EQ(interpreter_with("/usr/lib/libpython3.12.so.1.0"), "python");
  EXPECT_EQ(interpreter_with("/opt/pypy3.10"), "python");
  EXPECT_EQ(interpreter_with("/usr/bin/node"), "node");
  EXPECT_EQ(interpreter_with("/usr/bin/python3.13t"), "none");
  EXPECT_EQ(interpreter_with("/usr/bin/python-config"), "none");
  EXPECT_EQ(interpreter_with("/usr/bin/nodeadmin"), "none");
  EXPECT_EQ(interpreter_with("[vdso]"), "none");
  EXPECT_GE(cpus_of(getpid()), 1u);
}

Activity activity_with(Cause cause, const std::string& function, uint64_t fd,
                       const std::string& object) {
  CallDescription call;
  call.cause = cause;
  call.call.function = function;
  call.call.object = object;
  call.source.arguments[0] = fd;
  return activity_of(call);
}

TEST(Activity, WaitingForRequest_Resting) {
  EXPECT_EQ(activity_with(Cause::kSocket, "recv", 4, "tcp 127.0.0.1:1 → 127.0.0.1:2"),
            Activity::kSocket);
  EXPECT_EQ(activity_with(Cause::kSocket, "accept", 4, "tcp 0.0.0.0:80 (listening)"),
            Activity::kIdle);
  EXPECT_EQ(activity_with(Cause::kIpc, "read", 0, "pipe"), Activity::kIdle);
  EXPECT_EQ(activity_with(Cause::kIpc, "read", 5, "pipe"), Activity::kIpc);
  EXPECT_EQ(activity_with(Cause::kFile, "read", 0, "/dev/pts/0"), Activity::kIdle);
  EXPECT_EQ(activity_with(Cause::kFile, "read", 0, "/home/x/data"), Activity::kFile);
  EXPECT_TRUE(is_rest(Activity::kIdle));
  EXPECT_FALSE(is_rest(Activity::kLock));
  EXPECT_FALSE(is_operation(Activity::kLock));
  EXPECT_TRUE(is_operation(Activity::kIpc));
}

}  // namespace
}  // namespace tailback
