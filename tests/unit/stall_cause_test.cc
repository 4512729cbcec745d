// Which cause a stall has, and which of its stacks shows it.
#include "runtime/explain/stall_cause.h"

#include <gtest/gtest.h>

namespace tailback {
namespace {

using std::chrono::milliseconds;

std::vector<Frame> stack_of(std::initializer_list<const char*> functions) {
  std::vector<Frame> frames;
  for (const char* function : functions) {
    frames.emplace_back();
    frames.back().function = function;
    frames.back().module = "/srv/app";
  }
  return frames;
}

class StallCauseTest : public ::testing::Test {
 protected:
  StallCauseTest() {
    evidence.facts.duration = milliseconds(100);
    evidence.facts.threshold = milliseconds(50);
  }

  void blocked(Cause cause, const std::vector<Frame>& stack, int weight) {
    SampledState state;
    state.blocked = true;
    state.cause = cause;
    state.weight = milliseconds(weight);
    evidence.facts.samples.push_back(state);
    StackEvidence sample;
    sample.call = cause;
    sample.function = "read";
    sample.stack = &stack;
    sample.weight = milliseconds(weight);
    evidence.stacks.push_back(sample);
  }
  void computing(const std::vector<Frame>& stack, int weight) {
    evidence.facts.spent.known = true;
    evidence.facts.spent.on_cpu += milliseconds(weight);
    StackEvidence sample;
    sample.held = true;
    sample.stack = &stack;
    sample.weight = milliseconds(weight);
    evidence.stacks.push_back(sample);
  }

  const std::vector<Frame> first = stack_of({"first", "main"});
  const std::vector<Frame> second = stack_of({"second", "dispatch", "main"});
  StallEvidence evidence;
};

TEST_F(StallCauseTest, StackOfTheCause_IsChosenOverALongerOne) {
  computing(second, 30);
  blocked(Cause::kFile, first, 60);
  const DecidedCause decided = cause_of(evidence);
  EXPECT_EQ(decided.cause, Cause::kFile);
  EXPECT_EQ(decided.stack, 1u);
}

TEST_F(StallCauseTest, Computing_ChoosesTheCulpritWithMostTime) {
  computing(first, 30);
  computing(second, 25);
  computing(second, 20);
  const DecidedCause decided = cause_of(evidence);
  EXPECT_EQ(decided.cause, Cause::kCpu);
  EXPECT_EQ(decided.stack, 1u);
}

TEST_F(StallCauseTest, FunctionThatCallbacksShare_IsBlamedInTheHeaviest) {
  const std::vector<Frame> deeper = stack_of({"first", "helper", "main"});
  computing(deeper, 30);
  computing(first, 20);
  computing(first, 20);
  EXPECT_EQ(cause_of(evidence).stack, 0u);
  evidence.stacks[0].callback = 0;
  evidence.stacks[1].callback = evidence.stacks[2].callback = 1;
  EXPECT_EQ(cause_of(evidence).stack, 1u);
}

TEST_F(StallCauseTest, OneCallback_TheDeepestStackIsChosen) {
  const std::vector<Frame> deeper = stack_of({"first", "helper", "main"});
  computing(deeper, 10);  // its callback is not known
  computing(first, 20);
  evidence.stacks[1].callback = 0;
  EXPECT_EQ(cause_of(evidence).stack, 0u);
}

TEST_F(StallCauseTest, SampleThatKnowsOwners_IsChosen) {
  blocked(Cause::kLock, first, 60);
  blocked(Cause::kLock, first, 30);
  evidence.stacks[1].has_owners = true;
  EXPECT_EQ(cause_of(evidence).stack, 1u);
}

TEST_F(StallCauseTest, WaitInARuntimesLock_IsALock) {
  const std::vector<Frame> lock = stack_of({"parking_lot::RawMutex::lock_slow", "main"});
  blocked(Cause::kWait, lock, 90);
  EXPECT_EQ(cause_of(evidence).cause, Cause::kLock);
  EXPECT_EQ(cause_of_call(Cause::kWait, evidence.stacks).cause, Cause::kLock);
}

TEST_F(StallCauseTest, NoStack_UsesTheCallerOfTheLongestCall) {
  evidence.facts.calls.push_back(
      {intercept::Function::syscall, Cause::kWait, 1, milliseconds(90), milliseconds(90)});
  EXPECT_EQ(cause_of(evidence).cause, Cause::kWait);
  evidence.longest_caller = stack_of({"parking_lot::RawMutex::lock_slow"});
  const DecidedCause decided = cause_of(evidence);
  EXPECT_EQ(decided.cause, Cause::kLock);
  EXPECT_EQ(decided.stack, std::nullopt);
}

TEST_F(StallCauseTest, NothingKnown_IsUnknown) {
  const DecidedCause decided = cause_of(evidence);
  EXPECT_EQ(decided.cause, Cause::kUnknown);
  EXPECT_EQ(decided.stack, std::nullopt);
}

}  // namespace
}  // namespace tailback
