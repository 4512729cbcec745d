// System calls that the recorder can't see: the kernel's view of the thread names them.

#include <algorithm>

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

std::vector<Expectation> expectations() {
  std::vector<Expectation> all;
  for (const char* source : {"inline_calls.cc", "static_part.cc"}) {
    const auto some =
        read_expectations(source_file(std::string("tests/integration/targets/") + source));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::string test_name(const ::testing::TestParamInfo<Expectation>& info) {
  std::string name = info.param.on;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

// What the call is told with, where the arguments are known beforehand.
Json expected_arguments(const std::string& on) {
  if (on == "read" || on == "static read") return {{"count", 64}};
  if (on == "flock") return {{"operation", "LOCK_EX"}};
  if (on == "futex") return {{"operation", "FUTEX_WAIT"}, {"value", 0}, {"timeout", "none"}};
  if (on == "wait4") return {{"options", "0x0"}};
  if (on == "poll of a pidfd") return {{"nfds", 1}, {"timeout", -1}};
  if (on == "openat") return {{"path", "fifo"}, {"flags", "0x80000"}};
  if (on == "nanosleep") return {{"duration", "0.3 s"}};
  if (on == "msgrcv") return {{"size", 8}, {"type", 0}};
  return Json::object();
}

class InlineCallsTest : public IntegrationTest {
 protected:
  WatchedProgram& start(std::vector<std::string> arguments) {
    WatchOptions options;
    options.command = {built_program("inline_calls")};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    return watch(options);
  }
};

TEST_F(InlineCallsTest, Healthy_Silent) {
  WatchedProgram& program = start({});
  EXPECT_TRUE(has_stalls(finished(program), 0));
}

class InlineCallTest : public InlineCallsTest, public ::testing::WithParamInterface<Expectation> {};

TEST_P(InlineCallTest, InlineSystemCall_NamedFromProc) {
  WatchedProgram& program = start({GetParam().on});
  const Recording recording = finished(program);
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  EXPECT_TRUE(matches(GetParam(), stall));
  ASSERT_TRUE(stall["call"].is_object()) << summary(stall);
  EXPECT_FALSE(stall["call"]["intercepted"].get<bool>());
  const Json& arguments = stall["call"]["arguments"];
  const Json expected = expected_arguments(GetParam().on);
  for (const auto& [name, value] : expected.items()) {
    EXPECT_EQ(arguments.value(name, Json()), value) << name << " in " << arguments;
  }
  const std::vector<Block> blocks = announced_blocks(program);
  ASSERT_EQ(blocks.size(), 1u);
  // Getting ready belongs to the iteration as well.
  EXPECT_GE(stall["duration_ms"].get<double>(), blocks[0].length_ms - 1);
  EXPECT_LT(stall["duration_ms"].get<double>(), blocks[0].length_ms + 80);
  EXPECT_TRUE(stack_has_function(stall, "run_loop")) << summary(stall);
  if (GetParam().on == "static read") {
    EXPECT_TRUE(stack_has_function(stall, "block_in_static_part")) << summary(stall);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, InlineCallTest, ::testing::ValuesIn(expectations()), test_name);

}  // namespace
}  // namespace tailback::test
