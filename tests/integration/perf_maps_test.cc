// Functions that a program's own compiler made, named by the map that it writes for perf(1).

#include <algorithm>
#include <fstream>

#include "tests/integration/harness/eventually.h"
#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

class PerfMapsTest : public IntegrationTest {
 protected:
  void TearDown() override {
    std::filesystem::remove(map_);
    IntegrationTest::TearDown();
  }

  // Removed when the test ends.
  void expect_map_of(const std::string& pid) { map_ = "/tmp/perf-" + pid + ".map"; }
  const std::string& map() const { return map_; }

 private:
  std::string map_;
};

// The innermost frame of the language whose function begins so, or null.
Json frame_of(const Json& stall, const std::string& language, const std::string& beginning) {
  for (const Json& frame : stall["stack"]) {
    if (frame["language"] == language &&
        frame["function"].get<std::string>().starts_with(beginning)) {
      return frame;
    }
  }
  return Json();
}

// A method of the target's; the compiler may have put one into the other.
bool has_own_method(const Json& stall) {
  return frame_of(stall, "java", "CompiledLoop.").is_object();
}

TEST_F(PerfMapsTest, Node_FunctionsNamed) {
  TAILBACK_NEEDS("node");
  WatchOptions options;
  const std::string script = source_file("tests/integration/targets/node/blocks.js");
  options.command = {*find_program("node"), "--perf-basic-prof",
                     "--interpreted-frames-native-stack", script, "compute"};
  WatchedProgram& program = watch(options);
  const Recording recording = finished(program);
  ASSERT_TRUE(has_stalls(recording, 1));
  const Json stall = recording.final_stalls()[0];
  expect_map_of(std::to_string(stall["pid"].get<int>()));
  const Json frame = frame_of(stall, "javascript", "compute");
  ASSERT_TRUE(frame.is_object()) << summary(stall);
  EXPECT_EQ(frame["file"], script);
  EXPECT_GE(frame["line"].get<int>(), 15);  // where it begins
  EXPECT_LE(frame["line"].get<int>(), 21);
  EXPECT_TRUE(std::filesystem::exists(map()));
}

TEST_F(PerfMapsTest, Java_CompiledMethodsNamed) {
  TAILBACK_NEEDS("java");
  TAILBACK_NEEDS("jcmd");
  if (!std::filesystem::exists(built_program("CompiledLoop.class")))
    GTEST_SKIP() << "CompiledLoop was not built: install openjdk-17-jdk-headless";
  const std::string end = directory().path() / "end";
  WatchOptions options;
  // The second compiler would leave out what the method has not done yet.
  options.command = {"java", "-XX:+PreserveFramePointer",     "-XX:TieredStopAtLevel=1",
                     "-cp",  built_program("").parent_path(), "CompiledLoop",
                     end};
  WatchedProgram& program = watch(options);
  const std::string pid = program.announced("pid");
  expect_map_of(pid);
  const auto stalls = [&] { return program.recording().final_stalls(); };
  ASSERT_TRUE(eventually(std::chrono::seconds(20), [&] { return stalls().size() >= 3; }));
  for (const Json& stall : stalls()) {
    EXPECT_FALSE(has_own_method(stall)) << summary(stall);
  }

  // It may go on compiling: what it compiles after the map was written has no name.
  std::optional<Json> named;
  for (int i = 0; i < 5 && !named; ++i) {
    Process jcmd = run_helper("jcmd", {*find_program("jcmd"), pid, "Compiler.perfmap"});
    ASSERT_EQ(jcmd.wait(std::chrono::seconds(20)), exited(0));
    const size_t before = stalls().size();
    ASSERT_TRUE(
        eventually(std::chrono::seconds(20), [&] { return stalls().size() >= before + 4; }));
    for (const Json& stall : stalls()) {
      if (has_own_method(stall)) named = stall;
    }
  }
  std::ofstream(end).flush();
  const Recording recording = finished(program);
  ASSERT_TRUE(named) << summary(recording.final_stalls());
  ASSERT_TRUE((*named)["culprit"].is_number()) << summary(*named);
  EXPECT_EQ((*named)["stack"][(*named)["culprit"].get<size_t>()],
            frame_of(*named, "java", "CompiledLoop."))
      << summary(*named);
  EXPECT_TRUE(stack_has_module(*named, "libjvm.so")) << "what called it: " << summary(*named);

  // How to get names was said before there were any, and once.
  const auto how = [](const Json& stall) {
    return std::count_if(stall["limits"].begin(), stall["limits"].end(), [](const Json& note) {
      return note["text"].get<std::string>().find("Compiler.perfmap") != std::string::npos;
    });
  };
  const std::vector<Json> all = recording.final_stalls();
  EXPECT_EQ(std::count_if(all.begin(), all.end(), how), 1);
}

}  // namespace
}  // namespace tailback::test
