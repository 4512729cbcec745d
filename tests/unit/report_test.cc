// Recordings: the lines, the schema, and the file they go to.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "report_samples.h"
#include "runtime/report/fan_out_reporter.h"
#include "runtime/report/field.h"
#include "runtime/report/json_record.h"
#include "runtime/report/jsonl_reporter.h"
#include "runtime/report/record_parser.h"
#include "runtime/report/summary.h"
#include "tests/schema/report_schema.h"
#include "tests/unit/recording_reporter.h"

namespace tailback {
namespace {

using nlohmann::json;
using test::report_schema;
using test::schema_faults;

// The fields of a document that the schema does not describe: it allows them for later versions,
// but this version must not write any.
void undescribed(const json& document, const json& description, const json& schema,
                 const std::string& path, std::vector<std::string>& found) {
  if (description.contains("$ref")) {
    const std::string name =
        description["$ref"].get<std::string>().substr(strlen("#/definitions/"));
    return undescribed(document, schema["definitions"][name], schema, path, found);
  }
  if (description.contains("anyOf")) {  // one kind of object, or null
    if (!document.is_null()) undescribed(document, description["anyOf"][0], schema, path, found);
    return;
  }
  if (document.is_array()) {
    for (const json& item : document) {
      undescribed(item, description["items"], schema, path + "[]", found);
    }
  }
  if (!document.is_object() || description.contains("additionalProperties")) return;
  for (const auto& [name, value] : document.items()) {
    const std::string field = path + "." + name;
    if (description["properties"].contains(name)) {
      undescribed(value, description["properties"][name], schema, field, found);
    } else {
      found.push_back(field);
    }
  }
}

json definition_of(const json& document) {
  const auto type = document["type"].get<std::string>();
  return report_schema()["definitions"][type == "summary" ? type : "record-" + type];
}

std::vector<std::string> undescribed(const json& document) {
  const json& schema = report_schema();
  std::vector<std::string> found;
  undescribed(document, definition_of(document), schema, "", found);
  return found;
}

json parsed(const std::string& line) {
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(line.back(), '\n');
  return json::parse(line);
}

class ReportTest : public testing::Test {
 protected:
  void SetUp() override {
    use_utc();
    std::string pattern = testing::TempDir() + "tailback-report-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  static std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  ReportFile::Complain note_complaint() {
    return [this](std::string_view line) { complaints_.emplace_back(line); };
  }

  std::string directory_;
  std::vector<std::string> complaints_;
};

TEST_F(ReportTest, NotARecord_RefusedBySchema) {
  const json good = parsed(json_line(sample_sleep()));
  ASSERT_EQ(schema_faults(good), std::vector<std::string>());
  const auto refused = [&good](const char* patch) {
    json bad = good;
    bad.merge_patch(json::parse(patch));
    return !schema_faults(bad).empty();
  };
  EXPECT_TRUE(refused(R"({"schema": 1})"));
  EXPECT_TRUE(refused(R"({"type": "stal"})"));
  EXPECT_TRUE(refused(R"({"state": "over"})"));
  EXPECT_TRUE(refused(R"({"cause": "slow"})"));
  EXPECT_TRUE(refused(R"({"time": "2025-11-22 15:13:01"})"));
  EXPECT_TRUE(refused(R"({"duration_ms": "400"})"));
  EXPECT_TRUE(refused(R"({"loop": {"fd": -1}})"));
  EXPECT_TRUE(refused(R"({"stack": [{"function": "f"}]})"));
  EXPECT_TRUE(refused(R"({"fingerprint": null})"));
}

TEST_F(ReportTest, Schema_HasCauseWords) {
  const json words = report_schema()["definitions"]["record-stall"]["properties"]["cause"]["enum"];
  EXPECT_EQ(words.get<std::vector<std::string>>(),
            std::vector<std::string>(kCauseWords.begin(), kCauseWords.end()));
}

TEST_F(ReportTest, EveryRecord_ValidBySchema) {
  Stall bare;
  bare.id = 1;
  Stall ongoing = sample_sleep();
  ongoing.state = StallState::kOngoing;
  ongoing.pending_events.reset();
  SessionEnd killed = sample_end();
  killed.exit_status.reset();
  killed.signal = 9;
  Stall locked = sample_sleep();
  locked.lock = sample_lock("cache_mutex");
  locked.owners = {sample_owner(), LockOwner{}};
  Deadlock bare_deadlock;
  bare_deadlock.id = 1;
  bare_deadlock.threads.resize(1);
  Summary summary;
  summary.report(sample_sleep());
  summary.report(sample_deadlock());
  summary.report(sample_blocking_call());
  summary.report(sample_end());
  const std::string summary_text = summary.json();
  for (const json& record :
       {parsed(json_line(sample_session())), parsed(json_line(SessionStart{})),
        parsed(json_line(sample_sleep())), parsed(json_line(sample_many())),
        parsed(json_line(bare)), parsed(json_line(ongoing)), parsed(json_line(sample_end())),
        parsed(json_line(killed)), parsed(json_line(sample_stop())), parsed(json_line(Note{})),
        parsed(json_line(sample_blocking_call())), parsed(json_line(BlockingCall{})),
        parsed(json_line(locked)), parsed(json_line(sample_deadlock())),
        parsed(json_line(bare_deadlock)), parsed(json_line(sample_status())),
        json::parse(summary_text)}) {
    EXPECT_EQ(schema_faults(record), std::vector<std::string>()) << record;
    EXPECT_EQ(undescribed(record), std::vector<std::string>()) << record;
  }
}

TEST_F(ReportTest, Stall_ExactLine) {
  Stall stall = sample_sleep();
  stall.stack.resize(1);
  stall.stack_complete = false;
  stall.culprit = 0;
  EXPECT_EQ(
      json_line(stall),
      R"({"schema":2,"type":"stall","id":1,"state":"ended","time":"2025-11-22T15:13:01.123+00:00",)"
      R"("duration_ms":400.123,"threshold_ms":100.0,)"
      R"("pid":4711,"tid":4713,"process":"server","thread":"io-0",)"
      R"("loop":{"wait":"epoll_wait","fd":5},"iteration":null,"task":null,)"
      R"("cause":"sleep","call":{"function":"clock_nanosleep",)"
      R"("arguments":{"clock":1,"request":"400 ms"},"object":null,"intercepted":true,)"
      R"("owner_stack":[]},"lock":null,"owners":[],)"
      R"("stack":[{"function":"clock_nanosleep","file":null,"line":null,)"
      R"("module":"/usr/lib/x86_64-linux-gnu/libc.so.6","offset":"0xd5000","inlined":false,)"
      R"("language":"native"}],"stack_complete":false,"culprit":0,"samples":3,"stacks":[],)"
      R"("callbacks":[],"pending_events":12,"contributors":[],"spent":null,"limits":[],)"
      R"("advice":"Use a timer of the loop instead of a sleep.",)"
      R"("fingerprint":"sleep-load_config"})"
      "\n");
}

TEST_F(ReportTest, Schema_HasNoteKinds) {
  const json words = report_schema()["definitions"]["record-note"]["properties"]["kind"]["enum"];
  EXPECT_EQ(words.get<std::vector<std::string>>(),
            std::vector<std::string>(kNoteKindWords.begin(), kNoteKindWords.end()));
}

TEST_F(ReportTest, MachineNote_NoThread) {
  Note note = sample_stop();
  EXPECT_EQ(parsed(json_line(note))["tid"], 4713);
  note = {NoteKind::kSuspended, sample_time(), std::chrono::seconds(3), 0, 0, {}, {}};
  const json record = parsed(json_line(note));
  EXPECT_EQ(record["kind"], "suspended");
  EXPECT_EQ(record["duration_ms"], 3000.0);
  EXPECT_TRUE(record["pid"].is_null());
  EXPECT_TRUE(record["thread"].is_null());
}

TEST_F(ReportTest, DeepStacks_Bounded) {
  Stall stall = sample_many();
  json stacks = parsed(json_line(stall))["stacks"];
  ASSERT_EQ(stacks.size(), 1u);
  EXPECT_EQ(stacks[0]["weight_ms"], 150.0);
  EXPECT_EQ(stacks[0]["call"], "pread64");
  EXPECT_EQ(stacks[0]["culprit"], 1);
  EXPECT_EQ(stacks[0]["stack"].size(), stall.stack.size());
  stall.stacks[0].stack.assign(kListedFrames + 1, stall.stack[0]);
  stall.stacks[0].complete = true;
  stall.stacks.assign(kListedStacks + 1, stall.stacks[0]);
  stacks = parsed(json_line(stall))["stacks"];
  EXPECT_EQ(stacks.size(), kListedStacks);
  EXPECT_EQ(stacks[0]["stack"].size(), kListedFrames);
  EXPECT_FALSE(stacks[0]["stack_complete"].get<bool>());
}

TEST_F(ReportTest, Unknown_Null) {
  Stall stall;
  stall.loop = {"poll", -1};
  const json record = parsed(json_line(stall));
  EXPECT_EQ(record["loop"], json::parse(R"({"wait":"poll","fd":null})"));
  EXPECT_TRUE(record["call"].is_null());
  EXPECT_TRUE(record["pending_events"].is_null());
  EXPECT_TRUE(record["culprit"].is_null());
  EXPECT_TRUE(record["spent"].is_null());
  EXPECT_EQ(record["cause"], "unknown");
}

TEST_F(ReportTest, TextArguments_StayText) {
  Stall stall = sample_sleep();
  stall.call->arguments = {{"a", "-3", true},
                           {"b", "18446744073709551615", true},
                           {"c", "99999999999999999999", true},
                           {"d", "", true},
                           {"e", "7 ", true},
                           {"f", "7", false}};
  EXPECT_EQ(parsed(json_line(stall))["call"]["arguments"],
            json::parse(R"({"a":-3,"b":18446744073709551615,"c":"99999999999999999999","d":"",
                            "e":"7 ","f":"7"})"));
}

TEST_F(ReportTest, HostileText_OneValidLine) {
  Stall stall = sample_sleep();
  stall.process = "a\nb\x1b[31m\x01\xff\xc3";
  stall.thread = std::string("\xed\xa0\x80\0\"\\", 6);
  stall.call->object = "\xf0\x9f\x92\xa9 \xe2\x80\xae";
  stall.call->arguments.push_back({"\xfe", "\xfe", false});
  stall.stack[0].function = "\x80";
  stall.fingerprint = "\xc0\xaf";
  const json record = parsed(json_line(stall));
  EXPECT_EQ(schema_faults(record), std::vector<std::string>());
  EXPECT_EQ(record["process"], "a\nb\x1b[31m\x01\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(record["call"]["object"], "\xf0\x9f\x92\xa9 \xe2\x80\xae");
  EXPECT_EQ(record["stack"][0]["function"], "\xef\xbf\xbd");
}

TEST_F(ReportTest, LongStrings_Bounded) {
  Stall stall = sample_sleep();
  stall.stack[2].function = std::string(kStringBytes - 1, 'x') + "ééé";
  EXPECT_EQ(parsed(json_line(stall))["stack"][2]["function"],
            std::string(kStringBytes - 1, 'x') + "…");

  // Control characters need six times their space.
  Frame frame;
  frame.function = frame.file = frame.module = std::string(kStringBytes + 1, '\x01');
  stall.stack.assign(kStackFrames, frame);
  stall.stack.push_back(frame);
  stall.culprit = kStackFrames;
  const std::string line = json_line(stall);
  EXPECT_LT(line.size(), kStallLineBytes);
  const json record = parsed(line);
  EXPECT_EQ(record["stack"].size(), kStackFrames);
  EXPECT_EQ(record["stack_complete"], false);
  EXPECT_TRUE(record["culprit"].is_null());
}

TEST_F(ReportTest, Written_ReadBack) {
  for (Stall stall : {sample_sleep(), sample_many()}) {
    if (stall.call) {
      // The order of the arguments is not part of the format.
      std::sort(stall.call->arguments.begin(), stall.call->arguments.end(),
                [](const Argument& a, const Argument& b) { return a.name < b.name; });
    }
    if (stall.cause == Cause::kMany) {
      stall.iteration = "nightly import";
      stall.lock = sample_lock("cache_mutex");
      stall.owners = {sample_owner()};
    }
    const auto back = std::get<Stall>(parse_record(json_line(stall)));
    EXPECT_EQ(back.iteration, stall.iteration);
    EXPECT_EQ(json_line(back), json_line(stall));
    EXPECT_EQ(back.stack, stall.stack);
    EXPECT_EQ(back.lock, stall.lock);
    EXPECT_EQ(back.owners, stall.owners);
    EXPECT_EQ(back.call, stall.call);
    EXPECT_EQ(back.begin, stall.begin);
    EXPECT_EQ(back.duration, stall.duration);
  }
  EXPECT_EQ(json_line(std::get<SessionStart>(parse_record(json_line(sample_session())))),
            json_line(sample_session()));
  for (const auto& line : {json_line(sample_blocking_call()), json_line(BlockingCall{})}) {
    EXPECT_EQ(json_line(std::get<BlockingCall>(parse_record(line))), line);
  }
  const std::string deadlock = json_line(sample_deadlock());
  EXPECT_EQ(json_line(std::get<Deadlock>(parse_record(deadlock))), deadlock);
  std::string damaged = deadlock;
  damaged.replace(damaged.find("\"waits_for\":[1]"), 15, "\"waits_for\":[9]");
  EXPECT_THROW(parse_record(damaged), MalformedRecord);
  EXPECT_EQ(json_line(std::get<SessionStatus>(parse_record(json_line(sample_status())))),
            json_line(sample_status()));
  EXPECT_EQ(json_line(std::get<Note>(parse_record(json_line(sample_stop())))),
            json_line(sample_stop()));
  EXPECT_EQ(json_line(std::get<SessionEnd>(parse_record(json_line(sample_end())))),
            json_line(sample_end()));
  SessionEnd suppressed = sample_end();
  suppressed.counts[RecordKind::kStall].suppressed = 2;
  suppressed.unused_options = {"--loop absent*"};
  suppressed.suppressed_time = std::chrono::milliseconds(700);
  suppressed.suppressions = {{"known.supp", 3, "cause=\"s*\"", 2}, {"known.supp", 4, "call=x", 0}};
  const std::string line = json_line(suppressed);
  EXPECT_EQ(json_line(std::get<SessionEnd>(parse_record(line))), line);
  EXPECT_NE(line.find(R"({"file":"known.supp","line":4,"rule":"call=x","matches":0})"),
            std::string::npos)
      << line;
}

TEST_F(ReportTest, UnopenableFile_OneLineError) {
  const auto message = [](const std::string& file) -> std::string {
    try {
      JsonlReporter reporter(file);
    } catch (const ReportFileError& error) {
      return error.what();
    }
    return "opened";
  };
  EXPECT_EQ(message("/nonexistent/\x1b[1m/f"),
            "can't write the report to '/nonexistent/\\x1b[1m/f': No such file or directory; "
            "create the directory first");
  EXPECT_EQ(message(directory_), "can't write the report to '" + directory_ +
                                     "': Is a directory; name a file, not a directory");
}

TEST_F(ReportTest, Line_WrittenAtOnce) {
  JsonlReporter reporter(path("run.jsonl"), note_complaint());
  reporter.report(sample_session());
  ASSERT_EQ(lines_of(path("run.jsonl")).size(), 1U);
  reporter.report(sample_sleep());
  ASSERT_EQ(lines_of(path("run.jsonl")).size(), 2U);
  reporter.report(sample_end());
  const auto lines = lines_of(path("run.jsonl"));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(json::parse(lines[0])["type"], "session");
  EXPECT_EQ(json::parse(lines[1])["type"], "stall");
  EXPECT_EQ(json::parse(lines[2])["type"], "end");
  EXPECT_EQ(complaints_, std::vector<std::string>());
}

TEST_F(ReportTest, ExistingFile_Truncated) {
  std::ofstream(path("run.jsonl")) << "old\n";
  JsonlReporter reporter(path("run.jsonl"));
  reporter.report(sample_end());
  EXPECT_EQ(lines_of(path("run.jsonl")).size(), 1U);
}

TEST_F(ReportTest, FullDisk_SaidOnceAndCounted) {
  {
    JsonlReporter reporter("/dev/full", note_complaint());
    reporter.report(sample_session());
    for (int i = 0; i < 10; ++i) reporter.report(sample_sleep());
    reporter.report(sample_end());
    EXPECT_EQ(reporter.file().failed_writes(), 12U);
    EXPECT_EQ(complaints_, std::vector<std::string>(
                               {"tailback: can't write to /dev/full: No space left on device; the "
                                "session goes on, and what is not written is tried again"}));
  }
  ASSERT_EQ(complaints_.size(), 2U);
  EXPECT_EQ(complaints_[1],
            "tailback: 12 reports could not be written to /dev/full (No space left on device) and "
            "are lost");
}

// A descriptor that can be filled, refilled and emptied at will: a pipe's end that does not block.
class ReportPipeTest : public ReportTest {
 protected:
  void SetUp() override {
    ReportTest::SetUp();
    ASSERT_EQ(::pipe2(ends_, O_CLOEXEC | O_NONBLOCK), 0);
  }
  void TearDown() override {
    close_reader();
    ::close(ends_[1]);
    ReportTest::TearDown();
  }
  void close_reader() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }
  std::string drained() {
    std::string text;
    char block[65536];
    for (ssize_t count; (count = ::read(ends_[0], block, sizeof(block))) > 0;) {
      text.append(block, static_cast<size_t>(count));
    }
    return text;
  }
  int ends_[2] = {-1, -1};
};

TEST_F(ReportPipeTest, HalfWrittenLine_FinishedFirst) {
  const int capacity = ::fcntl(ends_[1], F_GETPIPE_SZ);
  ASSERT_GT(capacity, 0);
  const std::string large(static_cast<size_t>(capacity) + 1000, 'x');
  ReportFile file(ends_[1], "pipe", note_complaint());
  file.append(large + "\n");
  file.append("second\n");
  EXPECT_GE(file.failed_writes(), 1U);
  std::string text = drained();
  EXPECT_LT(text.size(), large.size());
  file.append("third\n");
  text += drained();
  EXPECT_EQ(text, large + "\nsecond\nthird\n");
  EXPECT_EQ(file.lost_pieces(), 0U);
  EXPECT_EQ(complaints_.size(), 1U);
}

TEST_F(ReportPipeTest, PipeFull_OldestLost) {
  ASSERT_GT(::fcntl(ends_[1], F_SETPIPE_SZ, 1 << 20), 0);
  std::string full(1 << 20, 'x');
  while (::write(ends_[1], full.data(), full.size()) > 0) {
  }
  ReportFile file(ends_[1], "pipe", note_complaint());
  const size_t size = ReportFile::kPendingBytes / 4;
  for (const char c : {'a', 'b', 'c', 'd', 'e', 'f'}) file.append(std::string(size, c));
  EXPECT_EQ(file.lost_pieces(), 2U);
  drained();  // what filled the pipe
  std::string text;
  for (int i = 0; i < 20; ++i) {
    file.append("\n");
    text += drained();
  }
  EXPECT_EQ(text.find('a'), std::string::npos);
  EXPECT_EQ(text.find('b'), std::string::npos);
  EXPECT_EQ(static_cast<size_t>(std::count(text.begin(), text.end(), 'c')), size);
  EXPECT_EQ(static_cast<size_t>(std::count(text.begin(), text.end(), 'f')), size);
}

TEST_F(ReportPipeTest, ReaderGone_NoSignal) {
  static volatile sig_atomic_t signals = 0;
  signals = 0;
  const auto old = std::signal(SIGPIPE, [](int) { signals = signals + 1; });
  close_reader();
  {
    ReportFile file(ends_[1], "pipe", note_complaint());
    file.append("one\n");
    file.append("two\n");
    EXPECT_GE(file.failed_writes(), 2U);
  }
  ::raise(SIGPIPE);  // the signal is free again, and none was left over
  EXPECT_EQ(signals, 1);
  std::signal(SIGPIPE, old);
  ASSERT_EQ(complaints_.size(), 2U);
  EXPECT_EQ(complaints_[1],
            "tailback: 2 reports could not be written to pipe (Broken pipe) and are lost");
}

TEST_F(ReportTest, FanOut_EachInOrder) {
  FanOutReporter fan_out;
  EXPECT_TRUE(fan_out.empty());
  auto first = std::make_unique<RecordingReporter>();
  auto second = std::make_unique<RecordingReporter>();
  const RecordingReporter& one = *first;
  const RecordingReporter& two = *second;
  fan_out.add(std::move(first));
  fan_out.add(std::move(second));
  fan_out.report(sample_session());
  fan_out.report(sample_sleep());
  fan_out.report(sample_many());
  fan_out.report(sample_end());
  for (const RecordingReporter* reporter : {&one, &two}) {
    EXPECT_EQ(reporter->all<SessionStart>().size(), 1U);
    ASSERT_EQ(reporter->all<Stall>().size(), 2U);
    EXPECT_EQ(reporter->all<Stall>()[1].id, 7U);
    EXPECT_EQ(reporter->all<SessionEnd>().size(), 1U);
  }
}

}  // namespace
}  // namespace tailback
