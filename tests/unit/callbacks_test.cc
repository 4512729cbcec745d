// Which callbacks the samples of an iteration show, over stacks that the test gives.
#include "runtime/analysis/callbacks.h"

#include <gtest/gtest.h>

#include "tests/unit/fake_stacks.h"

namespace tailback {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kWait = 0x400;
constexpr uint64_t kSensors = 0x401;
constexpr uint64_t kMeters = 0x402;
constexpr uint64_t kNested = 0x403;

class CallbacksTest : public ::testing::Test {
 protected:
  CallbacksTest() {
    stacks.frames[kWait] = stack_of({"epoll_wait", "wait", "run_loop", "main"});
    stacks.frames[kSensors] = stack_of({"compute", "sensors", "run_loop", "main"});
    stacks.frames[kMeters] = stack_of({"compute", "meters", "run_loop", "main"});
    stacks.frames[kNested] =
        stack_of({"epoll_wait", "wait", "run_loop", "dialog", "sensors", "run_loop", "main"});
    seen.pid = 100;
    seen.tid = 101;
    seen.wait = place;
  }

  void wait_at(uint64_t stack, uint64_t stack_pointer = 0x7000) {
    LoopWaitSeen wait{100, 101, place, snapshot_at(stack), std::vector<InterpreterStack>()};
    wait.place.stack_pointer = stack_pointer;
    callbacks.analyze(wait);
  }
  void sampled(uint64_t stack, int weight, std::string task = {}) {
    auto sample = std::make_shared<Sample>();
    sample->snapshot = snapshot_at(stack);
    sample->interpreted.emplace_back();
    sample->interpreted.back().task = std::move(task);
    seen.samples.push_back({std::move(sample), milliseconds(weight), {}});
  }
  std::vector<SampledCallback> found() {
    samples = read_samples(fake.reader, seen);
    return callbacks.assign(seen, samples);
  }

  FakeReader fake;
  FakeStacks& stacks = *fake.stacks;
  Callbacks callbacks{fake.reader};
  LoopWait place{5, 0x9000, 0x7000, 1};
  StallSeen seen;
  std::vector<ReadSample> samples;
};

TEST_F(CallbacksTest, OneCallback_IsOneHoweverItsStacksDiffer) {
  stacks.frames[kMeters] = stack_of({"send", "reply", "sensors", "run_loop", "main"});
  wait_at(kWait);
  sampled(kSensors, 30);
  sampled(kMeters, 20);
  const auto all = found();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].entry.function, "sensors");
  EXPECT_EQ(all[0].samples, 2u);
  EXPECT_EQ(all[0].weight, milliseconds(50));
}

TEST_F(CallbacksTest, TwoCallbacks_MostTimeFirst) {
  wait_at(kWait);
  sampled(kSensors, 30);
  sampled(kMeters, 50);
  sampled(kSensors, 10);
  const auto all = found();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].entry.function, "meters");
  EXPECT_EQ(all[1].entry.function, "sensors");
  EXPECT_EQ(all[1].weight, milliseconds(40));
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_EQ(samples[0].callback, 1u);
  EXPECT_EQ(samples[1].callback, 0u);
}

TEST_F(CallbacksTest, WaitNotSeen_NoneKnown) {
  sampled(kSensors, 30);
  sampled(kMeters, 50);
  EXPECT_TRUE(found().empty());
  EXPECT_FALSE(samples[0].callback);
}

TEST_F(CallbacksTest, WaitAtAnotherPlace_NoneKnown) {
  wait_at(kWait, 0x7000 + 4096);
  sampled(kSensors, 30);
  EXPECT_TRUE(found().empty());
}

TEST_F(CallbacksTest, NestedLoopsWait_DoesNotReplaceTheOuterOnes) {
  wait_at(kWait);
  wait_at(kNested, 0x6000);
  sampled(kSensors, 30);
  const auto all = found();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].entry.function, "sensors");
}

TEST_F(CallbacksTest, Tasks_AreDistinctThoughTheirFunctionIsOne) {
  wait_at(kWait);
  sampled(kSensors, 10, "Task-1");
  sampled(kSensors, 10, "Task-2");
  sampled(kSensors, 10, "Task-1");
  const auto all = found();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].task, "Task-1");
  EXPECT_EQ(all[0].samples, 2u);
  EXPECT_EQ(all[1].task, "Task-2");
}

TEST_F(CallbacksTest, TaskThatOneSampleHasNotRead_IsTheSame) {
  wait_at(kWait);
  sampled(kSensors, 10);
  sampled(kSensors, 10, "Task-1");
  const auto all = found();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].task, "Task-1");
}

TEST_F(CallbacksTest, TheLoopsOwnWork_IsNoCallback) {
  stacks.frames[kMeters] = stack_of({"run_loop", "main"});
  wait_at(kWait);
  sampled(kMeters, 10);
  EXPECT_TRUE(found().empty());
}

TEST_F(CallbacksTest, InterpreterNotKnownAtTheWait_NoneKnown) {
  wait_at(kWait);
  sampled(kSensors, 10);
  auto sample = std::make_shared<Sample>(*seen.samples[0].sample);
  sample->interpreted.back().frames.emplace_back();
  seen.samples[0].sample = std::move(sample);
  EXPECT_TRUE(found().empty());
}

TEST_F(CallbacksTest, IncompleteStack_IsOfNoKnownCallback) {
  wait_at(kWait);
  stacks.incomplete = true;
  sampled(kSensors, 10);
  EXPECT_TRUE(found().empty());
}

// A loop of Python: its program, the function that runs it, and what that calls.
std::vector<Frame> python_stack(std::initializer_list<std::pair<const char*, const char*>> frames) {
  std::vector<Frame> stack;
  for (const auto& [function, file] : frames) {
    stack.emplace_back();
    stack.back().function = function;
    stack.back().file = file;
    stack.back().language = "python";
  }
  return stack;
}

constexpr const char* kApp = "/srv/app.py";
constexpr const char* kAsyncio = "/usr/lib/python3.11/asyncio/base_events.py";

TEST_F(CallbacksTest, CallbackOfPython_IsInTheLoop) {
  stacks.frames[kWait] = python_stack({{"BaseEventLoop._run_once", kAsyncio},
                                       {"BaseEventLoop.run_forever", kAsyncio},
                                       {"m", kApp}});
  wait_at(kWait);
  ReadStack stack;
  stack.complete = true;
  stack.frames = python_stack({{"callback", kApp},
                               {"BaseEventLoop._run_once", kAsyncio},
                               {"BaseEventLoop.run_forever", kAsyncio},
                               {"m", kApp}});
  EXPECT_FALSE(callbacks.has_left_loop(seen, stack));
  stack.frames = stack_of({"main"});  // Python's frames were not read
  EXPECT_FALSE(callbacks.has_left_loop(seen, stack));
}

TEST_F(CallbacksTest, ProgramAfterRunForever_HasLeftTheLoop) {
  stacks.frames[kWait] = python_stack({{"BaseEventLoop._run_once", kAsyncio},
                                       {"BaseEventLoop.run_forever", kAsyncio},
                                       {"m", kApp}});
  wait_at(kWait);
  ReadStack stack;
  stack.complete = true;
  stack.frames = python_stack({{"save", kApp}, {"m", kApp}});
  EXPECT_TRUE(callbacks.has_left_loop(seen, stack));
  stack.complete = false;
  EXPECT_FALSE(callbacks.has_left_loop(seen, stack));
}

TEST_F(CallbacksTest, LoopThatTheProgramRunsStepByStep_IsNotLeft) {
  stacks.frames[kWait] = python_stack({{"step", kApp}, {"m", kApp}});
  wait_at(kWait);
  ReadStack stack;
  stack.complete = true;
  stack.frames = python_stack({{"draw", kApp}, {"m", kApp}});
  EXPECT_FALSE(callbacks.has_left_loop(seen, stack));
}

std::vector<Frame> of_module(std::vector<Frame> stack, size_t frame, const char* module) {
  stack[frame].module = module;
  return stack;
}

TEST(Entry, OfALibrarysDispatch_IsTheProgramsFunction) {
  auto stack = stack_of({"compute", "sensors", "event_process_active", "event_base_loop", "main"});
  stack = of_module(std::move(stack), 2, "/usr/lib/libevent-2.1.so.7");
  stack = of_module(std::move(stack), 3, "/usr/lib/libevent-2.1.so.7");
  EXPECT_EQ(find_entry(stack, 3), 1u);
}

TEST(Entry, OfAPlugIn_IsItsOutermostFunction) {
  auto stack = stack_of({"compute", "sensors", "event_process_active", "event_base_loop", "main"});
  stack = of_module(std::move(stack), 0, "/srv/plugin.so");
  stack = of_module(std::move(stack), 1, "/srv/plugin.so");
  stack = of_module(std::move(stack), 2, "/usr/lib/libevent-2.1.so.7");
  stack = of_module(std::move(stack), 3, "/usr/lib/libevent-2.1.so.7");
  EXPECT_EQ(find_entry(stack, 3), 1u);
}

TEST(Entry, OfPython_IsNoFrameOfTheStandardLibrary) {
  auto stack = stack_of({"decode", "consumer", "Handle._run", "BaseEventLoop._run_once", "main"});
  for (Frame& frame : stack) frame.language = "python";
  stack[0].file = stack[1].file = stack[4].file = "/srv/tick.py";
  stack[2].file = "/usr/lib/python3.11/asyncio/events.py";
  stack[3].file = "/usr/lib/python3.11/asyncio/base_events.py";
  EXPECT_EQ(find_entry(stack, 3), 1u);
}

TEST(Entry, NothingOfTheProgram_None) {
  EXPECT_FALSE(find_entry(of_module(stack_of({"poll", "main"}), 0, "/lib/libc.so.6"), 1));
  EXPECT_FALSE(find_entry({}, 3));
}

}  // namespace
}  // namespace tailback
