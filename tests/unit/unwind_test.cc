// Both engines against what a program's own unwinder says of its stacks, and against stacks and
// files that mean harm.
#include "runtime/unwind/unwinder.h"

#include <gtest/gtest.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <functional>
#include <iterator>
#include <random>
#include <string>

#include "runtime/capture/memory.h"
#include "runtime/capture/module_files.h"
#include "runtime/symbolize/symbolizer.h"
#include "tests/unit/targets/damaged_copies.h"
#include "tests/unit/targets/running_target.h"

namespace tailback {
namespace {

struct EngineUnderTest {
  const char* name;
  std::unique_ptr<Unwinder> (*make)();
};
const EngineUnderTest kEngines[] = {{"libunwind", make_libunwind_unwinder},
                                    {"libdw", make_libdw_unwinder},
                                    {"both", make_unwinder}};

const char* const kKinds[] = {"plain", "optimised", "plain_stripped", "optimised_stripped"};

std::string text_of(const RawStack& stack) {
  std::string text;
  for (const RawFrame& frame : stack.frames) {
    char line[64];
    std::snprintf(line, sizeof line, "%" PRIx64 "%s sp %" PRIx64 "\n", frame.address.value,
                  frame.after_call ? "" : " (exact)", frame.stack_pointer.value);
    text += line;
  }
  return text;
}

class Targets : public ::testing::TestWithParam<std::tuple<EngineUnderTest, const char*>> {};

TEST_P(Targets, Stack_EqualsProgramsOwn) {
  const auto& [engine, kind] = GetParam();
  const RunningTarget target(target_path(kind));
  ASSERT_TRUE(target.ready());
  ASSERT_EQ(target.threads().size(), 10u);
  const auto unwinder = engine.make();
  for (int round = 0; round < 2; ++round) {  // cold, and then with all that was learnt
    for (const auto& [name, thread] : target.threads()) {
      SCOPED_TRACE(name);
      const RawStack stack = unwinder->unwind(target.snapshot_of(name));
      ASSERT_FALSE(stack.frames.empty());
      EXPECT_EQ(stack.frames[0].address.value, thread.registers.context.instruction_pointer);
      EXPECT_FALSE(stack.frames[0].after_call);
      // The program's own unwinder knows nothing beyond the code that no file has.
      if (name == "jit") {
        const RemoteAddress start = target.threads().at("virtual").frames.back();
        EXPECT_GT(stack.frames.size(), thread.frames.size() + 4) << text_of(stack);
        EXPECT_EQ(stack.frames.back().address, start) << text_of(stack);
      } else {
        EXPECT_EQ(stack.frames.size(), thread.frames.size() + 1) << text_of(stack);
      }
      EXPECT_TRUE(stack.complete);
      for (size_t i = 0; i < thread.frames.size() && i + 1 < stack.frames.size(); ++i)
        EXPECT_EQ(stack.frames[i + 1].address, thread.frames[i]) << i << "\n" << text_of(stack);
    }
  }
}

TEST_P(Targets, SignalFrame_ExactAddress) {
  const auto& [engine, kind] = GetParam();
  const RunningTarget target(target_path(kind));
  ASSERT_TRUE(target.ready());
  const RawStack stack = engine.make()->unwind(target.snapshot_of("signal"));
  // stand_still, on_signal, the trampoline, and what the signal interrupted.
  ASSERT_GT(stack.frames.size(), 4u);
  for (size_t i = 0; i < stack.frames.size(); ++i)
    EXPECT_EQ(stack.frames[i].after_call, i != 0 && i != 2 && i != 3) << i << "\n"
                                                                      << text_of(stack);
}

TEST_P(Targets, TwoRegisters_FirstFrames) {
  const auto& [engine, kind] = GetParam();
  const RunningTarget target(target_path(kind));
  ASSERT_TRUE(target.ready());
  const auto unwinder = engine.make();
  for (const auto& [name, thread] : target.threads()) {
    SCOPED_TRACE(name);
    Snapshot snapshot = target.snapshot_of(name);
    snapshot.registers.complete = false;
    std::memset(snapshot.registers.context.saved, 0xee, sizeof snapshot.registers.context.saved);
    const RawStack stack = unwinder->unwind(snapshot);
    ASSERT_GE(stack.frames.size(), 1u);
    for (size_t i = 0; i + 1 < stack.frames.size() && i < thread.frames.size(); ++i)
      EXPECT_EQ(stack.frames[i + 1].address, thread.frames[i]) << i << "\n" << text_of(stack);
  }
}

TEST_P(Targets, ProcessGone_SnapshotUnwinds) {
  const auto& [engine, kind] = GetParam();
  RunningTarget target(target_path(kind));
  ASSERT_TRUE(target.ready());
  const Snapshot snapshot = target.snapshot_of("templates");
  const size_t expected = target.threads().at("templates").frames.size() + 1;
  target.end();
  const RawStack stack = engine.make()->unwind(snapshot);
  EXPECT_TRUE(stack.complete);
  EXPECT_EQ(stack.frames.size(), expected);
}

TEST_P(Targets, CutStack_NotComplete) {
  const auto& [engine, kind] = GetParam();
  const RunningTarget target(target_path(kind));
  ASSERT_TRUE(target.ready());
  Snapshot snapshot = target.snapshot_of("recursion");
  const size_t whole = target.threads().at("recursion").frames.size() + 1;
  RawStack full = engine.make()->unwind(snapshot);
  ASSERT_EQ(full.frames.size(), whole);
  snapshot.stack.resize(full.frames[10].stack_pointer - snapshot.stack_begin);
  const RawStack stack = engine.make()->unwind(snapshot);
  EXPECT_FALSE(stack.complete);
  EXPECT_GE(stack.frames.size(), 10u);
  EXPECT_LT(stack.frames.size(), whole);
}

std::string test_name(
    const ::testing::TestParamInfo<std::tuple<EngineUnderTest, const char*>>& info) {
  return std::string(std::get<0>(info.param).name) + "_" + std::get<1>(info.param);
}

INSTANTIATE_TEST_SUITE_P(Unwinder, Targets,
                         ::testing::Combine(::testing::ValuesIn(kEngines),
                                            ::testing::ValuesIn(kKinds)),
                         test_name);

class Engines : public ::testing::TestWithParam<EngineUnderTest> {};

TEST_P(Engines, EmptySnapshot_NoFrames) {
  const auto unwinder = GetParam().make();
  EXPECT_TRUE(unwinder->unwind(Snapshot()).frames.empty());
  Snapshot snapshot;
  snapshot.modules = std::make_shared<const ModuleMap>();
  const RawStack stack = unwinder->unwind(snapshot);
  EXPECT_LE(stack.frames.size(), 1u);
  EXPECT_FALSE(stack.complete);
}

// A thread that a hold has caught in the vdso: at the entry of a function the return address is on
// top of the stack.
TEST_P(Engines, Vdso_Unwound) {
  auto own = ModuleMap::read(::getpid());
  ASSERT_TRUE(own);
  const RemoteAddress vdso(::getauxval(AT_SYSINFO_EHDR));
  const auto modules = std::make_shared<const ModuleMap>(std::move(*own));
  const Mapping* mapping = modules->find(vdso);
  ASSERT_NE(mapping, nullptr);
  Symbolizer symbolizer;
  std::optional<RemoteAddress> function;
  for (RemoteAddress at = mapping->begin; at < mapping->end && !function; at = at + 1) {
    RawFrame frame;
    frame.address = at;
    frame.after_call = false;
    const auto frames = symbolizer.symbolize(::getpid(), *modules, frame);
    if (frames[0].function.find("clock_gettime") != std::string::npos) function = at;
  }
  ASSERT_TRUE(function);
  const auto caller = reinterpret_cast<uint64_t>(&text_of) + 8;
  Snapshot snapshot;
  snapshot.pid = ::getpid();
  snapshot.tid = ::getpid();
  snapshot.modules = modules;
  snapshot.registers.context.instruction_pointer = function->value;
  snapshot.registers.context.stack_pointer = 0x7000;
  snapshot.stack_begin = RemoteAddress(0x7000);
  snapshot.stack.resize(4096);
  std::memcpy(snapshot.stack.data(), &caller, sizeof caller);
  const RawStack stack = GetParam().make()->unwind(snapshot);
  ASSERT_GE(stack.frames.size(), 2u);
  EXPECT_EQ(stack.frames[1].address.value, caller);
  EXPECT_EQ(stack.frames[1].stack_pointer.value, 0x7008u);
  EXPECT_TRUE(stack.frames[1].after_call);
}

// Words that look right are worse than noise: code, stack and frame pointers in any order.
void fill_with_plausible_words(Snapshot& snapshot, std::mt19937_64& random) {
  std::vector<const Mapping*> code;
  for (const Mapping& mapping : snapshot.modules->mappings())
    if (mapping.executable) code.push_back(&mapping);
  const auto word = [&]() -> uint64_t {
    switch (random() % 6) {
      case 0:
      case 1:
      case 2: {
        const Mapping& mapping = *code[random() % code.size()];
        return mapping.begin.value + random() % (mapping.end - mapping.begin);
      }
      case 3:
        return snapshot.stack_begin.value + random() % (snapshot.stack.size() + 64);
      case 4:
        return random() % 3;
      default:
        return random();
    }
  };
  for (size_t i = 0; i + 8 <= snapshot.stack.size(); i += 8) {
    const uint64_t value = word();
    std::memcpy(snapshot.stack.data() + i, &value, 8);
  }
  snapshot.registers.context.instruction_pointer = word();
  snapshot.registers.context.stack_pointer =
      random() % 4 != 0 ? snapshot.stack_begin.value + random() % 512 : word();
  for (uint64_t& value : snapshot.registers.context.saved) value = word();
  snapshot.registers.complete = random() % 4 != 0;
}

TEST_P(Engines, RandomStacks_NoCrash) {
  const RunningTarget target(target_path("plain"));
  ASSERT_TRUE(target.ready());
  Snapshot snapshot = target.snapshot_of("alloca");
  snapshot.stack.resize(8 * 1024);
  const auto unwinder = GetParam().make();
  std::mt19937_64 random(20240229);
  size_t frames = 0;
  for (int round = 0; round < 3000; ++round) {
    fill_with_plausible_words(snapshot, random);
    const RawStack stack = unwinder->unwind(snapshot);
    ASSERT_GE(stack.frames.size(), 1u);
    ASSERT_LE(stack.frames.size(), Unwinder::kMaxFrames);
    frames += stack.frames.size();
  }
  EXPECT_GT(frames, 3000u);  // some led somewhere
}

TEST_P(Engines, EndlessChain_CutOff) {
  // Code that no file has, and frame pointers that lead upwards for longer than the limit.
  Mapping code;
  code.begin = RemoteAddress(0x10000);
  code.end = RemoteAddress(0x20000);
  code.executable = true;
  Snapshot snapshot;
  snapshot.pid = ::getpid();
  snapshot.modules = std::make_shared<const ModuleMap>(std::vector{code});
  snapshot.stack_begin = RemoteAddress(0x100000);
  snapshot.stack.resize(Snapshot::kStackBytes);
  for (uint64_t at = 0; at + 16 <= snapshot.stack.size(); at += 16) {
    const uint64_t words[] = {snapshot.stack_begin.value + at + 16, 0x10100};
    std::memcpy(snapshot.stack.data() + at, words, sizeof words);
  }
  snapshot.registers.context.instruction_pointer = 0x10010;
  snapshot.registers.context.stack_pointer = snapshot.stack_begin.value;
  snapshot.registers.context.saved[contract::kRbp] = snapshot.stack_begin.value;
  RawStack stack = GetParam().make()->unwind(snapshot);
  EXPECT_EQ(stack.frames.size(), Unwinder::kMaxFrames);
  EXPECT_FALSE(stack.complete);

  // One that goes in a circle.
  const uint64_t circle[] = {snapshot.stack_begin.value, 0x10100};
  std::memcpy(snapshot.stack.data() + 32, circle, sizeof circle);
  stack = GetParam().make()->unwind(snapshot);
  EXPECT_LE(stack.frames.size(), 4u);
  EXPECT_FALSE(stack.complete);
}

// The program's file as the target mapped it, but with bytes of its tables changed.
TEST_P(Engines, DamagedFiles_NoCrash) {
  const RunningTarget target(target_path("optimised_stripped"));
  ASSERT_TRUE(target.ready());
  const Snapshot original = target.snapshot_of("templates");
  const RemoteAddress inside = target.threads().at("templates").frames[0];
  DamagedCopies copies(*target.modules(), inside, 77);
  ASSERT_TRUE(copies.ready());
  for (int round = 0; round < 500; ++round) {
    Snapshot snapshot = original;
    snapshot.modules = copies.next();
    const RawStack stack = GetParam().make()->unwind(snapshot);
    EXPECT_GE(stack.frames.size(), 1u);
    EXPECT_LE(stack.frames.size(), Unwinder::kMaxFrames);
  }
}

INSTANTIATE_TEST_SUITE_P(Unwinder, Engines, ::testing::ValuesIn(kEngines),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace tailback
