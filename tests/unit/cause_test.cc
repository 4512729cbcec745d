// What a long turn is put down to.
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

constexpr milliseconds kTurn{100};
constexpr Nanoseconds kThreshold = milliseconds(60);

// Evidence of a turn of 100 ms, put together step by step.
class Turn {
 public:
  Turn() {
    evidence_.duration = kTurn;
    evidence_.threshold = kThreshold;
  }
  Turn& calls(Function function, uint64_t count, int total, int longest) {
    return calls_of_cause(function, cause_of_function(function), count, total, longest);
  }
  Turn& calls_of_cause(Function function, Cause cause, uint64_t count, int total, int longest) {
    evidence_.calls.push_back({function, cause, count, milliseconds(total), milliseconds(longest)});
    return *this;
  }
  Turn& other_calls(int total) {
    evidence_.other_calls = milliseconds(total);
    return *this;
  }
  Turn& spent(int on_cpu, int runnable) {
    evidence_.spent.known = true;
    evidence_.spent.on_cpu = milliseconds(on_cpu);
    evidence_.spent.runnable = milliseconds(runnable);
    return *this;
  }
  Turn& blocked(int length) {
    evidence_.spent.blocked = milliseconds(length);
    return *this;
  }
  Turn& unseen(int length) {
    evidence_.spent.unseen = milliseconds(length);
    return *this;
  }
  Turn& in_kernel(int length) {
    evidence_.spent.in_kernel = milliseconds(length);
    return *this;
  }
  Turn& throttled(int length) {
    evidence_.spent.throttled = milliseconds(length);
    return *this;
  }
  Turn& in_faults(int length) {
    evidence_.spent.in_faults = milliseconds(length);
    return *this;
  }
  Turn& blocked_unseen(Cause cause, int weight) {
    evidence_.samples.push_back({true, false, cause, milliseconds(weight)});
    return *this;
  }
  Turn& blocked_recorded(Cause cause, int weight) {
    evidence_.samples.push_back({true, true, cause, milliseconds(weight)});
    return *this;
  }
  Turn& running(int weight) {
    evidence_.samples.push_back({false, false, Cause::kUnknown, milliseconds(weight)});
    return *this;
  }
  Turn& lasting(Nanoseconds duration) {
    evidence_.duration = duration;
    return *this;
  }
  Turn& runnable_at_most(int length) {
    evidence_.runnable_at_most = milliseconds(length);
    return *this;
  }
  std::string_view cause() const { return word(decide_cause(evidence_)); }

 private:
  Evidence evidence_;
};

TEST(DecideCause, WithoutEvidenceNothingIsBlamed) {
  EXPECT_EQ(Turn().cause(), "unknown");
  EXPECT_EQ(Turn().running(90).cause(), "unknown");
  EXPECT_EQ(Turn().lasting({}).cause(), "unknown");
}

TEST(DecideCause, ACallThatNobodySawMayHaveLackedACpu) {
  EXPECT_EQ(Turn().calls(Function::writev, 1, 99, 99).cause(), "file");
  EXPECT_EQ(Turn().calls(Function::writev, 1, 99, 99).runnable_at_most(20).cause(), "file");
  EXPECT_EQ(Turn().calls(Function::writev, 1, 99, 99).runnable_at_most(95).cause(), "starved");
  EXPECT_EQ(Turn().calls(Function::nanosleep, 1, 99, 99).runnable_at_most(95).cause(), "sleep");
  const auto late = [](int runnable) {
    return Turn()
        .calls(Function::writev, 1, 99, 99)
        .spent(1, 2)
        .unseen(90)
        .runnable_at_most(runnable);
  };
  EXPECT_EQ(late(95).cause(), "starved");
  EXPECT_EQ(late(20).cause(), "file");
  // One that was looked at is known better.
  EXPECT_EQ(Turn().calls(Function::writev, 1, 99, 99).spent(1, 2).runnable_at_most(95).cause(),
            "file");
}

TEST(DecideCause, CallsThatLackedACpuAreNotToldFromTheirLengths) {
  const auto turn = [] {
    return Turn().calls(Function::read, 100, 48, 3).calls(Function::recv, 1, 30, 30);
  };
  EXPECT_EQ(turn().spent(8, 2).blocked(90).cause(), "many");
  EXPECT_EQ(turn().spent(8, 35).blocked(57).cause(), "socket");
  EXPECT_EQ(turn().spent(8, 32).blocked(60).cause(), "many") << "half is not most";
  EXPECT_EQ(turn().spent(40, 35).blocked(25).cause(), "many") << "it was not blocked as long";
}

TEST(DecideCause, AFewShortCallsTellNothingOfATurnThatNobodySaw) {
  EXPECT_EQ(Turn().calls(Function::send, 1, 1, 1).cause(), "unknown");
  EXPECT_EQ(Turn().calls(Function::send, 1, 1, 1).runnable_at_most(90).cause(), "starved");
  EXPECT_EQ(Turn().calls(Function::send, 1, 1, 1).runnable_at_most(30).cause(), "unknown");
  EXPECT_EQ(Turn().calls(Function::send, 1, 30, 30).cause(), "socket");
}

TEST(DecideCause, AccountingThatIsNotKnownIsNotUsed) {
  Evidence evidence;
  evidence.duration = kTurn;
  evidence.spent.on_cpu = milliseconds(90);
  evidence.spent.runnable = milliseconds(90);
  EXPECT_EQ(decide_cause(evidence), Cause::kUnknown);
}

TEST(DecideCause, OneLongCall) {
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
    EXPECT_EQ(Turn().calls(one.function, 1, 80, 80).cause(), one.expected);
  }
}

TEST(DecideCause, TheObjectsCauseCountsNotTheFunctions) {
  EXPECT_EQ(Turn().calls_of_cause(Function::read, Cause::kIpc, 1, 80, 80).cause(), "ipc");
  EXPECT_EQ(Turn().calls_of_cause(Function::read, Cause::kSocket, 1, 80, 80).cause(), "socket");
  EXPECT_EQ(Turn().calls_of_cause(Function::sem_wait, Cause::kGil, 1, 80, 80).cause(), "gil");
}

TEST(DecideCause, Computing) {
  EXPECT_EQ(Turn().spent(95, 2).cause(), "cpu");
  EXPECT_EQ(Turn().spent(95, 2).running(90).calls(Function::read, 30, 4, 1).cause(), "cpu");
}

TEST(DecideCause, ComputingWithinCalls) {
  EXPECT_EQ(Turn().spent(90, 2).calls(Function::getaddrinfo, 1, 95, 95).cause(), "cpu");
  EXPECT_EQ(Turn().spent(90, 2).calls(Function::fsync, 1, 95, 95).cause(), "cpu");
  // What the kernel does is what the call is for; who spins waits.
  EXPECT_EQ(Turn().spent(90, 2).in_kernel(80).calls(Function::pread, 1, 95, 95).cause(), "file");
  EXPECT_EQ(Turn().spent(90, 2).calls(Function::pthread_mutex_lock, 1, 95, 95).cause(), "lock");
  EXPECT_EQ(Turn().spent(90, 2).calls(Function::recv, 30, 95, 5).cause(), "many");
  EXPECT_EQ(Turn().spent(20, 2).calls(Function::getaddrinfo, 1, 95, 95).cause(), "dns");
}

TEST(DecideCause, WithoutACpuTheProgramIsNotToBlame) {
  EXPECT_EQ(Turn().spent(30, 65).cause(), "starved");
  // Inside a call, too: it had returned, and the thread got no CPU to go on.
  EXPECT_EQ(Turn().spent(1, 70).calls(Function::read, 1, 95, 95).cause(), "starved");
  EXPECT_EQ(Turn().spent(1, 70).blocked_unseen(Cause::kFile, 95).cause(), "starved");
}

TEST(DecideCause, ATurnTooLongEvenWithoutItsWaitForACpuHasACauseOfItsOwn) {
  EXPECT_EQ(Turn().lasting(milliseconds(200)).spent(70, 125).cause(), "cpu");
  EXPECT_EQ(
      Turn().lasting(milliseconds(200)).spent(5, 120).calls(Function::read, 1, 75, 75).cause(),
      "file");
  EXPECT_EQ(Turn().lasting(milliseconds(200)).spent(55, 141).cause(), "starved");
}

// An observer that came late has seen the end of the turn only, and that without a CPU.
TEST(DecideCause, CallsTellMoreThanLooksThatCameLate) {
  EXPECT_EQ(Turn().spent(2, 90).unseen(80).calls(Function::select, 1, 95, 95).cause(), "wait");
  EXPECT_EQ(Turn().spent(90, 2).unseen(80).calls(Function::read, 1, 95, 95).cause(), "file");
  EXPECT_EQ(Turn().spent(2, 90).unseen(40).calls(Function::read, 1, 95, 95).cause(), "starved");
  EXPECT_EQ(Turn().spent(2, 90).unseen(80).calls(Function::read, 1, 5, 5).cause(), "starved");
  EXPECT_EQ(Turn().spent(90, 2).unseen(80).cause(), "cpu");
}

TEST(DecideCause, AUsedUpQuotaIsThrottling) {
  EXPECT_EQ(Turn().spent(30, 65).throttled(20).cause(), "starved");
  EXPECT_EQ(Turn().spent(30, 65).throttled(25).cause(), "throttled");
  EXPECT_EQ(Turn().spent(30, 65).throttled(40).cause(), "throttled");
  // Also for a turn that computes for longer than the threshold, and within a call.
  EXPECT_EQ(Turn().lasting(milliseconds(200)).spent(70, 125).throttled(110).cause(), "throttled");
  EXPECT_EQ(Turn().spent(1, 70).throttled(69).calls(Function::read, 1, 95, 95).cause(),
            "throttled");
  // Others of the cgroup were throttled while this thread slept or computed.
  EXPECT_EQ(Turn().spent(1, 5).throttled(5).calls(Function::usleep, 1, 90, 90).cause(), "sleep");
  EXPECT_EQ(Turn().spent(85, 15).throttled(15).cause(), "cpu");
}

TEST(DecideCause, BlockedByPageFaults) {
  EXPECT_EQ(Turn().spent(5, 5).in_faults(60).cause(), "fault");
  EXPECT_EQ(Turn().spent(5, 5).in_faults(30).cause(), "fault");
  // Faults beside what took longer.
  EXPECT_EQ(Turn().spent(5, 5).in_faults(30).calls(Function::usleep, 1, 60, 60).cause(), "sleep");
  EXPECT_EQ(Turn().spent(60, 5).in_faults(30).cause(), "cpu");
  EXPECT_EQ(Turn().spent(5, 5).in_faults(30).blocked_unseen(Cause::kFile, 55).cause(), "file");
}

TEST(DecideCause, ManySmallCalls) {
  EXPECT_EQ(Turn().calls(Function::recv, 20, 80, 5).cause(), "many");
  EXPECT_EQ(Turn().calls(Function::recv, 10, 40, 5).calls(Function::fsync, 4, 40, 12).cause(),
            "many");
  EXPECT_EQ(Turn().calls(Function::recv, 6, 30, 5).other_calls(50).cause(), "many");
}

TEST(DecideCause, AmongManyCallsOneMayStandOut) {
  EXPECT_EQ(Turn().calls(Function::recv, 20, 20, 2).calls(Function::fsync, 1, 70, 70).cause(),
            "file");
  EXPECT_EQ(Turn().calls(Function::fsync, 3, 80, 60).cause(), "file");
}

TEST(DecideCause, TwoCallsAreNotMany) {
  EXPECT_EQ(Turn().calls(Function::recv, 1, 40, 40).calls(Function::fsync, 1, 45, 45).cause(),
            "file");
  EXPECT_EQ(Turn().calls(Function::recv, 2, 80, 40).cause(), "socket");
}

TEST(DecideCause, ANestedWaitBesideAChildWaitsForTheChild) {
  EXPECT_EQ(
      Turn().calls(Function::epoll_pwait, 1, 90, 90).calls(Function::waitpid, 1, 1, 1).cause(),
      "process");
  EXPECT_EQ(Turn().calls(Function::poll, 4, 85, 40).calls(Function::fork, 1, 5, 5).cause(),
            "process");
  EXPECT_EQ(Turn().calls(Function::poll, 1, 90, 90).cause(), "wait");
  // A child is no excuse for what was something else.
  EXPECT_EQ(Turn().calls(Function::fork, 1, 5, 5).calls(Function::fsync, 1, 80, 80).cause(),
            "file");
}

TEST(DecideCause, WhatTheRecorderDoesNotSeeIsTakenFromTheSamples) {
  EXPECT_EQ(Turn().blocked_unseen(Cause::kFile, 60).running(30).cause(), "file");
  EXPECT_EQ(Turn()
                .blocked_unseen(Cause::kSocket, 30)
                .blocked_unseen(Cause::kWait, 25)
                .blocked_unseen(Cause::kSocket, 10)
                .cause(),
            "socket");
}

TEST(DecideCause, RecordedSamplesAreNotCountedTwice) {
  // Their time is in the sums: by themselves they prove nothing.
  EXPECT_EQ(Turn().blocked_recorded(Cause::kSocket, 90).cause(), "unknown");
  EXPECT_EQ(Turn().blocked_recorded(Cause::kSocket, 40).blocked_unseen(Cause::kFile, 30).cause(),
            "file");
}

TEST(DecideCause, WhereNothingMakesHalfTheBiggestShareWins) {
  EXPECT_EQ(Turn().spent(20, 30).calls(Function::fsync, 1, 40, 40).cause(), "file");
  EXPECT_EQ(Turn().spent(45, 30).calls(Function::fsync, 1, 20, 20).cause(), "cpu");
  EXPECT_EQ(Turn().spent(20, 40).calls(Function::fsync, 1, 30, 30).cause(), "starved");
  EXPECT_EQ(Turn().spent(10, 10).blocked_unseen(Cause::kIpc, 35).cause(), "ipc");
  EXPECT_EQ(Turn().calls(Function::usleep, 1, 1, 1).running(90).cause(), "sleep");
}

TEST(DecideCause, WhatItWasBlockedInMayBeUnknown) {
  EXPECT_EQ(Turn().spent(23, 20).blocked(57).cause(), "unknown");
  EXPECT_EQ(Turn().spent(30, 30).blocked(40).blocked_unseen(Cause::kIpc, 15).cause(), "cpu");
  EXPECT_EQ(Turn().spent(20, 35).blocked(45).calls(Function::fsync, 1, 40, 40).cause(), "file");
}

TEST(DecideCause, HalfIsNotMoreThanHalf) {
  EXPECT_EQ(Turn().spent(0, 50).calls(Function::fsync, 1, 50, 50).cause(), "starved");
  EXPECT_EQ(Turn().spent(0, 49).calls(Function::fsync, 1, 51, 51).cause(), "file");
}

TEST(DecideCause, TiesAreDecidedTheSameWayWhateverTheOrder) {
  const auto forwards =
      Turn().calls(Function::fsync, 1, 40, 40).calls(Function::recv, 1, 40, 40).cause();
  const auto backwards =
      Turn().calls(Function::recv, 1, 40, 40).calls(Function::fsync, 1, 40, 40).cause();
  EXPECT_EQ(forwards, "file");
  EXPECT_EQ(backwards, "file");
}

TEST(CauseOfFunction, WordsThatNameNoFunctionAreUnknown) {
  EXPECT_EQ(cause_of_function(Function::kNone), Cause::kUnknown);
  EXPECT_EQ(cause_of_function(Function::kCount), Cause::kUnknown);
  EXPECT_EQ(cause_of_function(static_cast<Function>(0xffffffff)), Cause::kUnknown);
}

}  // namespace
}  // namespace tailback
