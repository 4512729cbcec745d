// What a long iteration is put down to.
#include "runtime/explain/cause.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "runtime/explain/call_description.h"

namespace tailback {
namespace {

using intercept::Function;
using std::chrono::milliseconds;

constexpr milliseconds kIteration{100};
constexpr Nanoseconds kThreshold = milliseconds(60);

// Evidence of an iteration of 100 ms, put together step by step.
class Iteration {
 public:
  Iteration() {
    evidence_.duration = kIteration;
    evidence_.threshold = kThreshold;
  }
  Iteration& calls(Function function, uint64_t count, int total, int longest) {
    return calls_of_cause(function, cause_of_function(function), count, total, longest);
  }
  Iteration& calls_of_cause(Function function, Cause cause, uint64_t count, int total,
                            int longest) {
    evidence_.calls.push_back({function, cause, count, milliseconds(total), milliseconds(longest)});
    return *this;
  }
  Iteration& other_calls(int total) {
    evidence_.other_calls = milliseconds(total);
    return *this;
  }
  Iteration& spent(int on_cpu, int runnable) {
    evidence_.spent.known = true;
    evidence_.spent.on_cpu = milliseconds(on_cpu);
    evidence_.spent.runnable = milliseconds(runnable);
    return *this;
  }
  Iteration& blocked(int length) {
    evidence_.spent.blocked = milliseconds(length);
    return *this;
  }
  Iteration& unseen(int length) {
    evidence_.spent.unseen = milliseconds(length);
    return *this;
  }
  Iteration& in_kernel(int length) {
    evidence_.spent.in_kernel = milliseconds(length);
    return *this;
  }
  Iteration& throttled(int length) {
    evidence_.spent.throttled = milliseconds(length);
    return *this;
  }
  Iteration& in_faults(int length) {
    evidence_.spent.in_faults = milliseconds(length);
    return *this;
  }
  Iteration& blocked_unhooked(Cause cause, int weight) {
    evidence_.samples.push_back({true, false, cause, milliseconds(weight)});
    return *this;
  }
  Iteration& blocked_recorded(Cause cause, int weight) {
    evidence_.samples.push_back({true, true, cause, milliseconds(weight)});
    return *this;
  }
  Iteration& running(int weight) {
    evidence_.samples.push_back({false, false, Cause::kUnknown, milliseconds(weight)});
    return *this;
  }
  Iteration& lasting(Nanoseconds duration) {
    evidence_.duration = duration;
    return *this;
  }
  Iteration& runnable_at_most(int length) {
    evidence_.runnable_at_most = milliseconds(length);
    return *this;
  }
  std::string_view cause() const { return word(decide_cause(evidence_)); }

 private:
  Evidence evidence_;
};

TEST(DecideCause, NoEvidence_Unknown) {
  EXPECT_EQ(Iteration().cause(), "unknown");
  EXPECT_EQ(Iteration().running(90).cause(), "unknown");
  EXPECT_EQ(Iteration().lasting({}).cause(), "unknown");
}

TEST(DecideCause, UnsampledCall_MayLackCpu) {
  EXPECT_EQ(Iteration().calls(Function::writev, 1, 99, 99).cause(), "file");
  EXPECT_EQ(Iteration().calls(Function::writev, 1, 99, 99).runnable_at_most(20).cause(), "file");
  EXPECT_EQ(Iteration().calls(Function::writev, 1, 99, 99).runnable_at_most(95).cause(),
            "run-queue-wait");
  EXPECT_EQ(Iteration().calls(Function::nanosleep, 1, 99, 99).runnable_at_most(95).cause(),
            "sleep");
  const auto late = [](int runnable) {
    return Iteration()
        .calls(Function::writev, 1, 99, 99)
        .spent(1, 2)
        .unseen(90)
        .runnable_at_most(runnable);
  };
  EXPECT_EQ(late(95).cause(), "run-queue-wait");
  EXPECT_EQ(late(20).cause(), "file");
  // One that was looked at is known better.
  EXPECT_EQ(Iteration().calls(Function::writev, 1, 99, 99).spent(1, 2).runnable_at_most(95).cause(),
            "file");
}

TEST(DecideCause, CallsLackedCpu_NotJudgedByLength) {
  const auto iteration = [] {
    return Iteration().calls(Function::read, 100, 48, 3).calls(Function::recv, 1, 30, 30);
  };
  EXPECT_EQ(iteration().spent(8, 2).blocked(90).cause(), "many");
  EXPECT_EQ(iteration().spent(8, 35).blocked(57).cause(), "socket");
  EXPECT_EQ(iteration().spent(8, 32).blocked(60).cause(), "many") << "half is not most";
  EXPECT_EQ(iteration().spent(40, 35).blocked(25).cause(), "many") << "it was not blocked as long";
}

TEST(DecideCause, FewShortCallsUnsampled_Unknown) {
  EXPECT_EQ(Iteration().calls(Function::send, 1, 1, 1).cause(), "unknown");
  EXPECT_EQ(Iteration().calls(Function::send, 1, 1, 1).runnable_at_most(90).cause(),
            "run-queue-wait");
  EXPECT_EQ(Iteration().calls(Function::send, 1, 1, 1).runnable_at_most(30).cause(), "unknown");
  EXPECT_EQ(Iteration().calls(Function::send, 1, 30, 30).cause(), "socket");
}

TEST(DecideCause, AccountingUnknown_NotUsed) {
  Evidence evidence;
  evidence.duration = kIteration;
  evidence.spent.on_cpu = milliseconds(90);
  evidence.spent.runnable = milliseconds(90);
  EXPECT_EQ(decide_cause(evidence), Cause::kUnknown);
}

TEST(DecideCause, OneLongCall_ItsCause) {
  struct {
    Function function;
    std::string_view expected;
  } const cases[] = {
      {Function::clock_nanosleep, "sleep"}, {Function::fsync, "file"},
      {Function::recv, "socket"},           {Function::getaddrinfo, "dns"},
      {Function::waitpid, "process"},       {Function::pthread_mutex_lock, "lock"},
      {Function::pthread_join, "wait"},     {Function::poll, "wait"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(Iteration().calls(one.function, 1, 80, 80).cause(), one.expected);
  }
}

TEST(DecideCause, ObjectKnown_ObjectsCause) {
  EXPECT_EQ(Iteration().calls_of_cause(Function::read, Cause::kIpc, 1, 80, 80).cause(), "ipc");
  EXPECT_EQ(Iteration().calls_of_cause(Function::read, Cause::kSocket, 1, 80, 80).cause(),
            "socket");
  EXPECT_EQ(Iteration().calls_of_cause(Function::sem_wait, Cause::kGil, 1, 80, 80).cause(), "gil");
}

TEST(DecideCause, OnCpu_Cpu) {
  EXPECT_EQ(Iteration().spent(95, 2).cause(), "cpu");
  EXPECT_EQ(Iteration().spent(95, 2).running(90).calls(Function::read, 30, 4, 1).cause(), "cpu");
}

TEST(DecideCause, OnCpuWithinCalls_Cpu) {
  EXPECT_EQ(Iteration().spent(90, 2).calls(Function::getaddrinfo, 1, 95, 95).cause(), "cpu");
  EXPECT_EQ(Iteration().spent(90, 2).calls(Function::fsync, 1, 95, 95).cause(), "cpu");
  // What the kernel does is what the call is for; who spins waits.
  EXPECT_EQ(Iteration().spent(90, 2).in_kernel(80).calls(Function::pread, 1, 95, 95).cause(),
            "file");
  EXPECT_EQ(Iteration().spent(90, 2).calls(Function::pthread_mutex_lock, 1, 95, 95).cause(),
            "lock");
  EXPECT_EQ(Iteration().spent(90, 2).calls(Function::recv, 30, 95, 5).cause(), "many");
  EXPECT_EQ(Iteration().spent(20, 2).calls(Function::getaddrinfo, 1, 95, 95).cause(), "dns");
}

TEST(DecideCause, WithoutCpu_RunQueueWait) {
  EXPECT_EQ(Iteration().spent(30, 65).cause(), "run-queue-wait");
  // Inside a call, too: it had returned, and the thread got no CPU to go on.
  EXPECT_EQ(Iteration().spent(1, 70).calls(Function::read, 1, 95, 95).cause(), "run-queue-wait");
  EXPECT_EQ(Iteration().spent(1, 70).blocked_unhooked(Cause::kFile, 95).cause(), "run-queue-wait");
}

TEST(DecideCause, LongWithoutRunQueueWait_OwnCause) {
  EXPECT_EQ(Iteration().lasting(milliseconds(200)).spent(70, 125).cause(), "cpu");
  EXPECT_EQ(
      Iteration().lasting(milliseconds(200)).spent(5, 120).calls(Function::read, 1, 75, 75).cause(),
      "file");
  EXPECT_EQ(Iteration().lasting(milliseconds(200)).spent(55, 141).cause(), "run-queue-wait");
}

// An observer that came late has seen the end of the iteration only, and that without a CPU.
TEST(DecideCause, LateSamples_CallsDecide) {
  EXPECT_EQ(Iteration().spent(2, 90).unseen(80).calls(Function::select, 1, 95, 95).cause(), "wait");
  EXPECT_EQ(Iteration().spent(90, 2).unseen(80).calls(Function::read, 1, 95, 95).cause(), "file");
  EXPECT_EQ(Iteration().spent(2, 90).unseen(40).calls(Function::read, 1, 95, 95).cause(),
            "run-queue-wait");
  EXPECT_EQ(Iteration().spent(2, 90).unseen(80).calls(Function::read, 1, 5, 5).cause(),
            "run-queue-wait");
  EXPECT_EQ(Iteration().spent(90, 2).unseen(80).cause(), "cpu");
}

TEST(DecideCause, QuotaUsedUp_Throttled) {
  EXPECT_EQ(Iteration().spent(30, 65).throttled(20).cause(), "run-queue-wait");
  EXPECT_EQ(Iteration().spent(30, 65).throttled(25).cause(), "throttled");
  EXPECT_EQ(Iteration().spent(30, 65).throttled(40).cause(), "throttled");
  // Also for an iteration that computes for longer than the threshold, and within a call.
  EXPECT_EQ(Iteration().lasting(milliseconds(200)).spent(70, 125).throttled(110).cause(),
            "throttled");
  EXPECT_EQ(Iteration().spent(1, 70).throttled(69).calls(Function::read, 1, 95, 95).cause(),
            "throttled");
  // Others of the cgroup were throttled while this thread slept or computed.
  EXPECT_EQ(Iteration().spent(1, 5).throttled(5).calls(Function::usleep, 1, 90, 90).cause(),
            "sleep");
  EXPECT_EQ(Iteration().spent(85, 15).throttled(15).cause(), "cpu");
}

TEST(DecideCause, PageFaults_PageFault) {
  EXPECT_EQ(Iteration().spent(5, 5).in_faults(60).cause(), "page-fault");
  EXPECT_EQ(Iteration().spent(5, 5).in_faults(30).cause(), "page-fault");
  // Faults beside what took longer.
  EXPECT_EQ(Iteration().spent(5, 5).in_faults(30).calls(Function::usleep, 1, 60, 60).cause(),
            "sleep");
  EXPECT_EQ(Iteration().spent(60, 5).in_faults(30).cause(), "cpu");
  EXPECT_EQ(Iteration().spent(5, 5).in_faults(30).blocked_unhooked(Cause::kFile, 55).cause(),
            "file");
}

TEST(DecideCause, ManySmallCalls_Many) {
  EXPECT_EQ(Iteration().calls(Function::recv, 20, 80, 5).cause(), "many");
  EXPECT_EQ(Iteration().calls(Function::recv, 10, 40, 5).calls(Function::fsync, 4, 40, 12).cause(),
            "many");
  EXPECT_EQ(Iteration().calls(Function::recv, 6, 30, 5).other_calls(50).cause(), "many");
}

TEST(DecideCause, OneLongAmongMany_ItsCause) {
  EXPECT_EQ(Iteration().calls(Function::recv, 20, 20, 2).calls(Function::fsync, 1, 70, 70).cause(),
            "file");
  EXPECT_EQ(Iteration().calls(Function::fsync, 3, 80, 60).cause(), "file");
}

TEST(DecideCause, TwoCalls_NotMany) {
  EXPECT_EQ(Iteration().calls(Function::recv, 1, 40, 40).calls(Function::fsync, 1, 45, 45).cause(),
            "file");
  EXPECT_EQ(Iteration().calls(Function::recv, 2, 80, 40).cause(), "socket");
}

TEST(DecideCause, NestedWaitBesideChild_Process) {
  EXPECT_EQ(
      Iteration().calls(Function::epoll_pwait, 1, 90, 90).calls(Function::waitpid, 1, 1, 1).cause(),
      "process");
  EXPECT_EQ(Iteration().calls(Function::poll, 4, 85, 40).calls(Function::fork, 1, 5, 5).cause(),
            "process");
  EXPECT_EQ(Iteration().calls(Function::poll, 1, 90, 90).cause(), "wait");
  // A child is no excuse for what was something else.
  EXPECT_EQ(Iteration().calls(Function::fork, 1, 5, 5).calls(Function::fsync, 1, 80, 80).cause(),
            "file");
}

TEST(DecideCause, NotIntercepted_SamplesDecide) {
  EXPECT_EQ(Iteration().blocked_unhooked(Cause::kFile, 60).running(30).cause(), "file");
  EXPECT_EQ(Iteration()
                .blocked_unhooked(Cause::kSocket, 30)
                .blocked_unhooked(Cause::kWait, 25)
                .blocked_unhooked(Cause::kSocket, 10)
                .cause(),
            "socket");
}

TEST(DecideCause, RecordedSamples_CountedOnce) {
  // Their time is in the sums: by themselves they prove nothing.
  EXPECT_EQ(Iteration().blocked_recorded(Cause::kSocket, 90).cause(), "unknown");
  EXPECT_EQ(
      Iteration().blocked_recorded(Cause::kSocket, 40).blocked_unhooked(Cause::kFile, 30).cause(),
      "file");
}

TEST(DecideCause, NoMajority_BiggestShare) {
  EXPECT_EQ(Iteration().spent(20, 30).calls(Function::fsync, 1, 40, 40).cause(), "file");
  EXPECT_EQ(Iteration().spent(45, 30).calls(Function::fsync, 1, 20, 20).cause(), "cpu");
  EXPECT_EQ(Iteration().spent(20, 40).calls(Function::fsync, 1, 30, 30).cause(), "run-queue-wait");
  EXPECT_EQ(Iteration().spent(10, 10).blocked_unhooked(Cause::kIpc, 35).cause(), "ipc");
  EXPECT_EQ(Iteration().calls(Function::usleep, 1, 1, 1).running(90).cause(), "sleep");
}

TEST(DecideCause, BlockedInUnknown_Unknown) {
  EXPECT_EQ(Iteration().spent(23, 20).blocked(57).cause(), "unknown");
  EXPECT_EQ(Iteration().spent(30, 30).blocked(40).blocked_unhooked(Cause::kIpc, 15).cause(), "cpu");
  EXPECT_EQ(Iteration().spent(20, 35).blocked(45).calls(Function::fsync, 1, 40, 40).cause(),
            "file");
}

TEST(DecideCause, ExactlyHalf_NotMajority) {
  EXPECT_EQ(Iteration().spent(0, 50).calls(Function::fsync, 1, 50, 50).cause(), "run-queue-wait");
  EXPECT_EQ(Iteration().spent(0, 49).calls(Function::fsync, 1, 51, 51).cause(), "file");
}

TEST(DecideCause, Tie_SameInAnyOrder) {
  const auto forwards =
      Iteration().calls(Function::fsync, 1, 40, 40).calls(Function::recv, 1, 40, 40).cause();
  const auto backwards =
      Iteration().calls(Function::recv, 1, 40, 40).calls(Function::fsync, 1, 40, 40).cause();
  EXPECT_EQ(forwards, "file");
  EXPECT_EQ(backwards, "file");
}

TEST(CauseOfFunction, InvalidFunction_Unknown) {
  EXPECT_EQ(cause_of_function(Function::kNone), Cause::kUnknown);
  EXPECT_EQ(cause_of_function(Function::kCount), Cause::kUnknown);
  EXPECT_EQ(cause_of_function(static_cast<Function>(0xffffffff)), Cause::kUnknown);
}

}  // namespace
}  // namespace tailback
