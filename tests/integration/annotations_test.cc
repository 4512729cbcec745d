// What programs say of themselves through the annotation header, and what the options say of their
// threads.

#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

std::vector<std::string> texts(const Json& list) {
  return list.get<std::vector<std::string>>();
}

class AnnotationsTest : public IntegrationTest {
 protected:
  struct Run {
    Recording recording;
    std::vector<Block> blocks;
    std::string text;
  };

  Run run(std::vector<std::string> command, const std::string& loops = "",
          const std::string& not_loops = "", bool bare_preload = false) {
    WatchOptions options;
    command[0] = built_program(command[0]);
    options.command = std::move(command);
    options.bare_preload = bare_preload;
    if (!loops.empty()) options.environment.emplace_back("TAILBACK_LOOP", loops);
    if (!not_loops.empty()) options.environment.emplace_back("TAILBACK_NOT_LOOP", not_loops);
    WatchedProgram& program = watch(options);
    Recording recording = finished(program);
    return {std::move(recording), announced_blocks(program), program.text_report()};
  }

  // Every block is a stall of its length, in this order, and there is no other.
  static void expect_blocks(const Run& run, size_t count) {
    ASSERT_EQ(run.blocks.size(), count);
    ASSERT_TRUE(has_stalls(run.recording, count));
    const std::vector<Json> stalls = run.recording.final_stalls();
    for (size_t i = 0; i < count; ++i) {
      EXPECT_TRUE(lasts(stalls[i], run.blocks[i].length_ms));
      EXPECT_EQ(stalls[i]["cause"], "sleep") << summary(stalls[i]);
    }
  }

  // What it prints without the recorder, but for the lengths.
  std::string output_alone(const std::string& name, std::vector<std::string> command) {
    command[0] = built_program(command[0]);
    Process process = run_helper(name, std::move(command));
    EXPECT_EQ(process.wait(std::chrono::seconds(30)), exited(0));
    return file_text(directory().path() / (name + ".out"));
  }
};

TEST_F(AnnotationsTest, NoRecorder_NoEffect) {
  for (const char* name : {"marked loop", "own wait", "allowed and not", "a million", "unbalanced",
                           "in a handler", "without NUL"}) {
    const std::string output = output_alone("marked", {"marked", name});
    EXPECT_NE(output.find("done\n"), std::string::npos) << name;
  }
  EXPECT_NE(output_alone("classes", {"marked_classes"}).find("done\n"), std::string::npos);
}

TEST_F(AnnotationsTest, FewLongPolls_NoLoop) {
  EXPECT_TRUE(has_stalls(run({"marked", "few iterations"}).recording, 0));
}

TEST_F(AnnotationsTest, MarkedThread_LoopFromFirstIteration) {
  const Run marked = run({"marked", "marked loop"});
  expect_blocks(marked, 3);
  ASSERT_EQ(marked.recording.end()["loops"].size(), 1u);
  EXPECT_EQ(marked.recording.end()["loops"][0]["iterations"], 3);
}

TEST_F(AnnotationsTest, MarkedNotLoop_Silent) {
  const Run marked = run({"marked", "not a loop"});
  EXPECT_TRUE(has_stalls(marked.recording, 0));
  EXPECT_TRUE(marked.recording.end()["loops"].empty());
}

TEST_F(AnnotationsTest, CustomWait_IsLoop) {
  const Run marked = run({"marked", "own wait"});
  expect_blocks(marked, 1);
  const Json stall = marked.recording.final_stalls()[0];
  EXPECT_EQ(stall["loop"]["wait"], "tailback_wait");
  EXPECT_TRUE(stack_has_function(stall, "block")) << summary(stall);
}

TEST_F(AnnotationsTest, AllowedScope_Silent) {
  const Run marked = run({"marked", "allowed only"});
  EXPECT_TRUE(has_stalls(marked.recording, 0));
  EXPECT_GT(marked.recording.end()["loops"][0]["longest_ms"], 240);
}

TEST_F(AnnotationsTest, StallBesideAllowedScope_OnlyStallReported) {
  for (const bool bare_preload : {false, true}) {
    const Run marked = run({"marked", "allowed and not"}, "", "", bare_preload);
    expect_blocks(marked, 1);
    const Json stall = marked.recording.final_stalls()[0];
    const std::string notes = stall["limits"].dump();
    EXPECT_NE(notes.find("ms more in a scope that is allowed to block"), std::string::npos)
        << notes;
    ASSERT_FALSE(stall["contributors"].empty());
    EXPECT_EQ(stall["contributors"][0]["function"], "nanosleep");
    EXPECT_EQ(stall["contributors"][0]["count"], 1);
    EXPECT_TRUE(stack_has_function(stall, "block")) << summary(stall);
    EXPECT_FALSE(stall["iteration"].is_string());
  }
}

TEST_F(AnnotationsTest, NamedIteration_NameInReport) {
  const Run marked = run({"marked", "named iterations"});
  expect_blocks(marked, 3);
  const std::vector<Json> stalls = marked.recording.final_stalls();
  EXPECT_EQ(stalls[0]["iteration"], "GET /orders");
  EXPECT_EQ(stalls[1]["iteration"], "a name that is far too long for what is kept of them, ");
  EXPECT_TRUE(stalls[2]["iteration"].is_null());
  EXPECT_NE(marked.text.find("  iteration GET /orders\n"), std::string::npos) << marked.text;
}

TEST_F(AnnotationsTest, AbandonedScope_StallsStillReported) {
  expect_blocks(run({"marked", "left by longjmp"}), 1);
  expect_blocks(run({"marked", "exit in scope"}), 1);
  expect_blocks(run({"marked", "a million"}), 1);
}

TEST_F(AnnotationsTest, ForkedChild_StartsUnmarked) {
  const Run marked = run({"marked", "fork within"});
  expect_blocks(marked, 1);
  EXPECT_EQ(marked.recording.final_stalls()[0]["pid"], marked.blocks.at(0).pid);
}

TEST_F(AnnotationsTest, Misuse_Harmless) {
  expect_blocks(run({"marked", "in a handler"}), 1);
  const Run nameless = run({"marked", "without NUL"});
  expect_blocks(nameless, 1);
  EXPECT_TRUE(nameless.recording.final_stalls()[0]["iteration"].is_null());
  expect_blocks(run({"marked", "unbalanced"}), 1);
}

TEST_F(AnnotationsTest, CxxClassesWithoutPie_SameReports) {
  const Run marked = run({"marked_classes"});
  expect_blocks(marked, 3);
  EXPECT_TRUE(marked.recording.final_stalls()[0]["iteration"].is_null());
  EXPECT_EQ(marked.recording.final_stalls()[1]["iteration"], "second job");
  EXPECT_EQ(marked.recording.final_stalls()[2]["loop"]["wait"], "tailback_wait");
}

TEST_F(AnnotationsTest, LoopOption_ThreadIsLoop) {
  const Run named = run({"marked", "few iterations", "worker-1"}, "work*,absent?");
  expect_blocks(named, 3);
  EXPECT_EQ(texts(named.recording.end()["unused_options"]),
            std::vector<std::string>{"--loop absent?"});
  EXPECT_NE(named.text.find("--loop absent? matched no thread"), std::string::npos) << named.text;
}

TEST_F(AnnotationsTest, OptionAndMark_OptionWins) {
  EXPECT_TRUE(has_stalls(run({"marked", "not a loop", "worker-1"}, "worker-?").recording, 1));
  const Run excluded = run({"marked", "marked loop", "worker-1"}, "worker-1", "w*");
  EXPECT_TRUE(has_stalls(excluded.recording, 0));
  EXPECT_TRUE(excluded.recording.end()["loops"].empty());
  EXPECT_TRUE(excluded.recording.end()["unused_options"].empty());
}

TEST_F(AnnotationsTest, RedisNotLoop_Silent) {
  TAILBACK_NEEDS("redis-server");
  for (const bool excluded : {false, true}) {
    const uint16_t port = free_port();
    WatchOptions options;
    options.command = {*find_program("redis-server"),
                       "--port",
                       std::to_string(port),
                       "--bind",
                       "127.0.0.1",
                       "--save",
                       "",
                       "--enable-debug-command",
                       "yes"};
    if (excluded) options.environment = {{"TAILBACK_NOT_LOOP", "redis-serv*"}};
    WatchedProgram& server = watch(options);
    ASSERT_TRUE(eventually(std::chrono::seconds(20), [&] { return port_answers(port); }));
    LineClient(port).ask("DEBUG SLEEP 0.3");
    LineClient(port).send("SHUTDOWN NOSAVE");
    const Recording recording = finished(server);
    EXPECT_TRUE(has_stalls(recording, excluded ? 0 : 1));
    EXPECT_EQ(recording.end()["loops"].empty(), excluded);
  }
}

}  // namespace
}  // namespace tailback::test
