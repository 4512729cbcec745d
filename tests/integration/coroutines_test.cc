// Coroutines that a program tells of through the annotation header.

#include "tests/integration/harness/integration_test.h"

namespace tailback::test {
namespace {

class NeverAwaitedTest : public IntegrationTest {
 protected:
  Recording run(const std::string& what, const std::string& output, bool bare_preload = false) {
    WatchOptions options;
    options.command = {built_program("lazy_coroutines"), what};
    options.bare_preload = bare_preload;
    WatchedProgram& program = watch(options);
    Recording recording = finished(program);
    EXPECT_EQ(program.output(), output);
    return recording;
  }

  // The one line of it, which blames make_one().
  static Json only_one(const Recording& recording) {
    const std::vector<Json> found = recording.of_type("never-awaited");
    EXPECT_EQ(found.size(), 1u);
    if (found.empty()) return {};
    EXPECT_TRUE(function_is(Json{{"function", found[0]["coroutine"]}}, "work")) << found[0].dump();
    const Json& culprit = found[0]["culprit"];
    EXPECT_TRUE(culprit.is_number()) << found[0].dump();
    if (culprit.is_number()) {
      EXPECT_TRUE(function_is(found[0]["stack"][culprit.get<size_t>()], "make_one"))
          << found[0].dump();
    }
    return found[0];
  }
};

TEST_F(NeverAwaitedTest, Awaited_Silent) {
  const Recording recording = run("await each", "20000 begun\n");
  EXPECT_TRUE(recording.of_type("never-awaited").empty());
  EXPECT_EQ(recording.end()["counts"]["never_awaited"]["reported"], 0);
}

TEST_F(NeverAwaitedTest, MoreThanTracked_Silent) {
  EXPECT_TRUE(run("await all", "6000 begun\n").of_type("never-awaited").empty());
}

TEST_F(NeverAwaitedTest, SamePlace_ReportedOnceAndCounted) {
  const Recording recording = run("drop each", "0 begun\n");
  only_one(recording);
  EXPECT_EQ(recording.end()["counts"]["never_awaited"]["reported"], 1);
  const Json& end = recording.end();
  const Json& counts = end["counts"]["never_awaited"];
  EXPECT_GE(counts["repeated"].get<int>(), 31);
  EXPECT_EQ(counts["repeated"].get<int>() + counts["lost"].get<int>() +
                end["counts"]["race"]["lost"].get<int>(),
            99);
}

TEST_F(NeverAwaitedTest, FailOn_StatusSet) {
  WatchOptions options;
  options.environment = {{"TAILBACK_FAIL_ON", "never-awaited"}};
  options.command = {built_program("lazy_coroutines"), "drop each"};
  finished(watch(options), exited(66));
  options.command.back() = "await each";
  finished(watch(options), exited(0));
}

TEST_F(NeverAwaitedTest, DroppedByOtherThread_Reported) {
  const Json found = only_one(run("drop on a thread", "0 begun\n"));
  EXPECT_NE(found["tid"], found["pid"]);
}

TEST_F(NeverAwaitedTest, ForkedChildDropsCopy_Named) {
  const Recording recording = run("drop after fork", "1 begun\n");
  EXPECT_NE(only_one(recording)["pid"], recording.session()["pid"]);
}

TEST_F(NeverAwaitedTest, BarePreload_Reported) {
  only_one(run("drop on a thread", "0 begun\n", true));
}

TEST_F(NeverAwaitedTest, NoRecorder_NoEffect) {
  Process process = run_helper("alone", {built_program("lazy_coroutines"), "drop each"});
  EXPECT_EQ(process.wait(std::chrono::seconds(30)), exited(0));
  EXPECT_EQ(file_text(directory().path() / "alone.out"), "0 begun\n");
}

}  // namespace
}  // namespace tailback::test
