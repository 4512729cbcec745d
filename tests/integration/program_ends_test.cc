// Programs whose loop is healthy and whose end is slow: it is named as the end, and is no stall; an
// end that waits is reported with what it waits for.
#include <sys/stat.h>

#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

class ProgramEnds : public IntegrationTest {
 protected:
  // With --fail-on stall.
  Recording run(std::vector<std::string> command) {
    WatchOptions options;
    options.command = std::move(command);
    options.environment = {{"TAILBACK_FAIL_ON", "stall"}};
    return finished(watch(options));
  }
  Recording run_node(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {*find_program("node"),
                      source_file("tests/integration/targets/node/slow_end.js").string()});
    return run(std::move(arguments));
  }
  Recording run_python(const std::string& seconds) {
    return run({"/usr/bin/python3",
                source_file("tests/integration/targets/python/slow_end.py").string(), seconds});
  }

  static std::vector<Json> notes(const Recording& recording, const std::string& kind) {
    std::vector<Json> notes = recording.lines();
    std::erase_if(notes, [&](const Json& line) {
      return line.value("type", "") != "note" || line["kind"] != kind;
    });
    return notes;
  }
  static std::string named_function(const Json& note) {
    return note["culprit"].is_null() ? ""
                                     : note["stack"][note["culprit"].get<size_t>()]["function"];
  }
};

TEST_F(ProgramEnds, NodeQuickEnd_NothingNoted) {
  TAILBACK_NEEDS("node");
  const Recording recording = run_node({"quick"});
  EXPECT_TRUE(has_stalls(recording, 0));
  EXPECT_TRUE(notes(recording, "program-end").empty());
  EXPECT_TRUE(notes(recording, "blocked-end").empty());
}

TEST_F(ProgramEnds, NodeFreesItsMemory_NoStall) {
  TAILBACK_NEEDS("node");
  const Recording recording = run_node({"teardown"});
  EXPECT_TRUE(has_stalls(recording, 0));
  // A fast machine is done within the threshold.
  for (const Json& note : notes(recording, "program-end")) {
    EXPECT_TRUE(named_function(note).starts_with("node::")) << note;
  }
}

TEST_F(ProgramEnds, NodeExitListener_NotedNoStall) {
  TAILBACK_NEEDS("node");
  const Recording recording = run_node({"listener"});
  EXPECT_TRUE(has_stalls(recording, 0));
  const std::vector<Json> ends = notes(recording, "program-end");
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_GE(ends[0]["duration_ms"].get<double>(), 200) << ends[0];
  EXPECT_LE(recording.end()["loops"][0]["longest_ms"].get<double>(), 100);
}

TEST_F(ProgramEnds, NodeWaitsForItsPool_SaysWhichThreadIsInWhat) {
  TAILBACK_NEEDS("node");
  const std::string fifo = directory().path() / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const Recording recording = run_node({"pool", fifo});
  EXPECT_TRUE(has_stalls(recording, 0));
  const std::vector<Json> waits = notes(recording, "blocked-end");
  ASSERT_GE(waits.size(), 1u);
  EXPECT_GE(waits[0]["duration_ms"].get<double>(), 1000);
  EXPECT_EQ(waits[0]["call"]["function"], "pthread_join");
  ASSERT_EQ(waits[0]["owners"].size(), 1u);
  EXPECT_EQ(waits[0]["owners"][0]["call"]["function"], "open64");
  EXPECT_EQ(waits[0]["owners"][0]["call"]["object"], fifo);
}

TEST_F(ProgramEnds, PythonWaitsShortlyForAThread_Silent) {
  const Recording recording = run_python("0.3");
  EXPECT_TRUE(has_stalls(recording, 0));
  EXPECT_TRUE(notes(recording, "blocked-end").empty());
}

TEST_F(ProgramEnds, PythonWaitsForAThread_SaysWhatThatOneDoes) {
  const Recording recording = run_python("3");
  EXPECT_TRUE(has_stalls(recording, 0));
  const std::vector<Json> waits = notes(recording, "blocked-end");
  ASSERT_GE(waits.size(), 1u);
  EXPECT_EQ(named_function(waits[0]), "_shutdown");
  const Json& thread = waits[0]["others"][0];
  EXPECT_EQ(thread["call"]["function"], "read") << waits[0];
  EXPECT_EQ(thread["stack"][thread["culprit"].get<size_t>()]["function"], "copy") << thread;
}

TEST_F(ProgramEnds, PythonAfterItsLoop_NotedNoStall) {
  const Recording recording =
      run({"/usr/bin/python3",
           source_file("tests/integration/targets/python/work_after_loop.py").string()});
  EXPECT_TRUE(has_stalls(recording, 0));
  const std::vector<Json> notes_after = notes(recording, "after-loop");
  ASSERT_EQ(notes_after.size(), 1u);
  EXPECT_GE(notes_after[0]["duration_ms"].get<double>(), 300) << notes_after[0];
}

TEST_F(ProgramEnds, ExitHandler_NotedNoStall) {
  const Recording recording = run({built_program("ending_loops"), "slow exit handler"});
  EXPECT_TRUE(has_stalls(recording, 0));
  const std::vector<Json> ends = notes(recording, "program-end");
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_GE(ends[0]["duration_ms"].get<double>(), 390);
  EXPECT_TRUE(notes(recording, "blocked-end").empty());
}

TEST_F(ProgramEnds, ExitHandlerJoins_SaysWhichThreadIsInWhat) {
  const Recording recording = run({built_program("ending_loops"), "exit handler that joins"});
  EXPECT_TRUE(has_stalls(recording, 0));
  const std::vector<Json> waits = notes(recording, "blocked-end");
  ASSERT_GE(waits.size(), 1u);
  EXPECT_EQ(waits[0]["call"]["function"], "pthread_join");
  ASSERT_EQ(waits[0]["owners"].size(), 1u);
  EXPECT_TRUE(stack_has_function(waits[0]["owners"][0], "sleep_ms")) << waits[0];
}

TEST_F(ProgramEnds, RedisSavesAtItsEnd_NoStall) {
  TAILBACK_NEEDS("redis-server");
  const uint16_t port = free_port();
  WatchOptions options;
  options.command = {*find_program("redis-server"),
                     "--port",
                     std::to_string(port),
                     "--save",
                     "",
                     "--appendonly",
                     "no",
                     "--enable-debug-command",
                     "yes",
                     "--dir",
                     directory().path()};
  WatchedProgram& server = watch(options);
  ASSERT_TRUE(eventually(std::chrono::seconds(20), [&] { return port_answers(port); }));
  LineClient(port).ask("DEBUG POPULATE 400000 key 100\r");
  LineClient(port).send("SHUTDOWN SAVE\r");
  const Recording recording = finished(server);
  for (const Json& stall : own_stalls(recording)) {
    EXPECT_FALSE(stack_has_function(stall, "finishShutdown")) << summary(stall);
  }
  for (const Json& note : notes(recording, "program-end")) {
    EXPECT_TRUE(named_function(note).ends_with("Shutdown")) << note;
  }
}

}  // namespace
}  // namespace tailback::test
