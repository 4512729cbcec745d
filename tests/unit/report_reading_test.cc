// Recordings read back and summed up, and `tailback report`.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report_samples.h"
#include "runtime/command/report_command.h"
#include "runtime/report/json_record.h"
#include "runtime/report/run_reader.h"
#include "runtime/report/summary.h"

namespace tailback {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string whole_run() {
  return json_line(sample_session()) + json_line(sample_sleep()) + json_line(sample_many()) +
         json_line(sample_end());
}

std::string gzipped(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class ReadingTest : public testing::Test {
 protected:
  void SetUp() override {
    use_utc();
    std::string pattern = testing::TempDir() + "tailback-reading-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern + "/";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& content) {
    std::ofstream(directory_ + name, std::ios::binary) << content;
    return directory_ + name;
  }

  // Reads files into summary_; what was said stands in said_, without the directory's name.
  bool read(const std::vector<std::string>& files) {
    RunReader reader(summary_, [this](const std::string& line) {
      std::string shorter = line;
      for (size_t at; (at = shorter.find(directory_)) != std::string::npos;) {
        shorter.erase(at, directory_.size());
      }
      said_.push_back(shorter);
    });
    for (const std::string& file : files) reader.read(file);
    EXPECT_EQ(reader.runs(), summary_.runs());
    return reader.sound();
  }

  using Said = std::vector<std::string>;
  std::string directory_;
  Summary summary_;
  Said said_;
};

TEST_F(ReadingTest, WholeRun_Silent) {
  EXPECT_TRUE(read({write("a.jsonl", whole_run())}));
  EXPECT_EQ(said_, Said());
  EXPECT_EQ(summary_.runs(), 1U);
  EXPECT_EQ(summary_.runs_without_end(), 0U);
  EXPECT_EQ(summary_.text(), R"(1 run, 10.0 s; 2 stalls, 563 ms in all

culprit                                      cause  count   total  longest  share
load_config(char const*) (src/config.cc:42)  sleep      1  400 ms   400 ms   71 %
unixRead (sqlite3.c:38000)                   many       1  163 ms   163 ms   29 %

loop                                                 iterations  busy      p50     p90      p99    p99.9  longest
server[4711], thread io-0[4713], epoll_wait on fd 5      40,123  30 %  12.0 µs  100 µs  3.20 ms  90.0 ms   400 ms

longest pause of a thread: 250 µs
)");
}

TEST_F(ReadingTest, SeveralRuns_MergedByCulpritAndLoop) {
  SessionEnd other = sample_end();
  other.loops[0].pid = 99;
  other.loops[0].p99 = milliseconds(50);
  other.losses.threads = 2;
  other.longest_pause = std::chrono::microseconds(4100);
  Stall longer = sample_sleep();
  longer.duration = seconds(2);
  longer.call->object = "elsewhere";
  const std::string second = json_line(sample_session()) + json_line(longer) + json_line(other);
  EXPECT_TRUE(read({write("a.jsonl", whole_run()), write("b.jsonl", second)}));
  EXPECT_EQ(summary_.text(), R"(2 runs, 20.0 s; 3 stalls, 2.56 s in all

culprit                                      cause  count   total  longest  share  object
load_config(char const*) (src/config.cc:42)  sleep      2  2.40 s   2.00 s   94 %  elsewhere and others
unixRead (sqlite3.c:38000)                   many       1  163 ms   163 ms    6 %

loop                                               iterations  busy      p50     p90      p99    p99.9  longest
server, thread io-0, epoll_wait on fd 5 (2 loops)      80,246  30 %  12.0 µs  100 µs  50.0 ms  90.0 ms   400 ms
Where a row has several loops, the percentiles are those of the worst.

longest pause of a thread: 4.10 ms (limit 1.00 ms; the machine took its CPU away)

Incomplete:
  2 threads were not watched: no free record
)");
}

TEST_F(ReadingTest, ConcatenatedFiles_SeveralRuns) {
  EXPECT_TRUE(read({write("a.jsonl", whole_run() + whole_run())}));
  EXPECT_EQ(summary_.runs(), 2U);
  EXPECT_EQ(summary_.culprits().stalls(), 4U);
}

TEST_F(ReadingTest, Gzip_KnownByContent) {
  EXPECT_TRUE(read({write("a.jsonl", gzipped(whole_run())),
                    write("b.jsonl.gz", gzipped(whole_run()) + gzipped(whole_run())),
                    write("plain.gz", whole_run())}));
  EXPECT_EQ(said_, Said());
  EXPECT_EQ(summary_.runs(), 4U);
}

TEST_F(ReadingTest, GzipEndsEarly_Said) {
  const std::string whole = gzipped(whole_run());
  EXPECT_TRUE(read({write("a.jsonl.gz", whole.substr(0, whole.size() - 100))}));
  ASSERT_EQ(said_.size(), 3U);
  EXPECT_TRUE(said_[0].ends_with("the last line is cut off and left out")) << said_[0];
  EXPECT_EQ(said_[1], "a.jsonl.gz: its compressed data ends early");
  EXPECT_EQ(said_[2],
            "a.jsonl.gz: the recording ends without an end record: the observer was killed or is "
            "still at work");
  EXPECT_EQ(summary_.runs_without_end(), 1U);
}

TEST_F(ReadingTest, GzipDamaged_Error) {
  std::string damaged = gzipped(whole_run());
  for (size_t i = damaged.size() / 2; i < damaged.size() / 2 + 50; ++i) damaged[i] ^= 0x55;
  EXPECT_FALSE(read({write("a.jsonl.gz", damaged)}));
  EXPECT_TRUE(std::any_of(said_.begin(), said_.end(), [](const std::string& line) {
    return line.starts_with("a.jsonl.gz: its compressed data is damaged");
  })) << testing::PrintToString(said_);
}

TEST_F(ReadingTest, Directory_AllRecordings) {
  write("b.jsonl", whole_run());
  write("a.jsonl.gz", gzipped(whole_run()));
  write("notes.txt", "hello");
  std::filesystem::create_directory(directory_ + "dir.jsonl");
  ASSERT_EQ(::mkfifo((directory_ + "fifo.jsonl").c_str(), 0600), 0);
  EXPECT_TRUE(read({directory_}));
  EXPECT_EQ(said_, Said());
  EXPECT_EQ(summary_.runs(), 2U);
  summary_ = Summary();
  EXPECT_FALSE(read({directory_ + "dir.jsonl"}));
  EXPECT_EQ(said_, Said({"dir.jsonl: the directory holds no *.jsonl or *.jsonl.gz; name the "
                         "recordings"}));
}

TEST_F(ReadingTest, LastLineCut_Dropped) {
  const std::string run = whole_run();
  EXPECT_TRUE(read({write("a.jsonl", run.substr(0, run.size() - 10))}));
  EXPECT_EQ(said_, Said({"a.jsonl:4: the last line is cut off and left out",
                         "a.jsonl: the recording ends without an end record: the observer was "
                         "killed or is still at work"}));
  EXPECT_EQ(summary_.culprits().stalls(), 2U);
  EXPECT_EQ(summary_.text().substr(0, summary_.text().find('\n')),
            "1 run (1 without an end record: their loops are missing); 2 stalls, 563 ms in all");
}

TEST_F(ReadingTest, NoFinalNewline_LineCounts) {
  std::string run = whole_run();
  run.pop_back();
  EXPECT_TRUE(read({write("a.jsonl", run)}));
  EXPECT_EQ(said_, Said());
  EXPECT_EQ(summary_.runs_without_end(), 0U);
}

TEST_F(ReadingTest, AnyCut_Read) {
  const std::string run = whole_run();
  const size_t session = json_line(sample_session()).size();
  for (size_t size = 0; size <= run.size(); size += 7) {
    said_.clear();
    summary_ = Summary();
    // Without a whole session line nothing tells that it is a recording.
    EXPECT_EQ(read({write("a.jsonl", run.substr(0, size))}), size + 1 >= session) << size;
    EXPECT_EQ(said_.empty(), size + 1 >= run.size()) << size;
  }
}

TEST_F(ReadingTest, ObserverKilled_OngoingCounted) {
  Stall ongoing = sample_sleep();
  ongoing.state = StallState::kOngoing;
  Stall longer = ongoing;
  longer.duration = seconds(5);
  EXPECT_TRUE(read(
      {write("a.jsonl", json_line(sample_session()) + json_line(ongoing) + json_line(longer))}));
  EXPECT_EQ(summary_.culprits().stalls(), 1U);
  EXPECT_EQ(summary_.culprits().stalled(), seconds(5));
  EXPECT_EQ(summary_.culprits().by_total()[0]->unfinished, 1U);
}

TEST_F(ReadingTest, WholeRun_OngoingNotCounted) {
  Stall ongoing = sample_sleep();
  ongoing.state = StallState::kOngoing;
  EXPECT_TRUE(read({write("a.jsonl", json_line(sample_session()) + json_line(ongoing) +
                                         json_line(sample_sleep()) + json_line(sample_end()))}));
  EXPECT_EQ(summary_.culprits().stalls(), 1U);
}

TEST_F(ReadingTest, DamagedLine_SaidWithPlace) {
  const std::string run = json_line(sample_session()) + "garbage\x1b\n" +
                          json_line(sample_sleep()) +
                          R"({"schema":1,"type":"stall","id":1})"
                          "\n" +
                          json_line(sample_end());
  EXPECT_FALSE(read({write("a.jsonl", run), write("b.jsonl", whole_run())}));
  EXPECT_EQ(said_, Said({"a.jsonl:2: not JSON; the line is left out",
                         "a.jsonl:4: 'state' is missing; the line is left out"}));
  EXPECT_EQ(summary_.runs(), 2U);
  EXPECT_EQ(summary_.culprits().stalls(), 3U);
}

TEST_F(ReadingTest, ManyDamagedLines_Capped) {
  std::string run = json_line(sample_session());
  for (int i = 0; i < 1000; ++i) run += "{}\n";
  EXPECT_FALSE(read({write("a.jsonl", run + json_line(sample_end()))}));
  ASSERT_EQ(said_.size(), 6U);
  EXPECT_EQ(said_[0], "a.jsonl:2: 'schema' is missing; the line is left out");
  EXPECT_EQ(said_[5], "a.jsonl: 1,000 lines are damaged, all stepped over");
}

TEST_F(ReadingTest, FirstLineDamaged_RestRead) {
  EXPECT_FALSE(
      read({write("a.jsonl", "x\n" + json_line(sample_sleep()) + json_line(sample_end()))}));
  EXPECT_EQ(said_, Said({"a.jsonl:2: the record that begins a session is missing",
                         "a.jsonl:1: not JSON; the line is left out"}));
  EXPECT_EQ(summary_.culprits().stalls(), 1U);
}

TEST_F(ReadingTest, NotARecording_OneLineError) {
  std::string binary(1 << 20, '\0');
  for (size_t i = 0; i < binary.size(); ++i) binary[i] = static_cast<char>(i * 2654435761U >> 13);
  EXPECT_FALSE(read({write("binary", binary), write("other.json", "[1,2,3]"),
                     write("text", std::string("hello\n") + "world\n"), write("empty", ""),
                     directory_ + "absent", write("good.jsonl", whole_run())}));
  const std::string cure = "; name a file that 'tailback run --json' wrote";
  EXPECT_EQ(said_, Said({"binary: not a recording" + cure, "other.json: not a recording" + cure,
                         "text: not a recording" + cure, "empty: empty" + cure,
                         "absent: No such file or directory"}));
  EXPECT_EQ(summary_.runs(), 1U);
}

TEST_F(ReadingTest, UnknownSchema_OneLineError) {
  EXPECT_FALSE(read({write("a.jsonl", R"({"schema":3,"type":"session"})"
                                      "\n" +
                                          whole_run())}));
  EXPECT_EQ(said_, Said({"a.jsonl:1: schema 3 is not known to tailback " TAILBACK_VERSION
                         " (it reads schemas 1 and 2); read it with the version that wrote it"}));
  EXPECT_EQ(summary_.runs(), 0U);
}

TEST_F(ReadingTest, UnknownType_Skipped) {
  const std::string later = R"({"schema":1,"type":"riddle","id":1})"
                            "\n";
  EXPECT_TRUE(read(
      {write("a.jsonl", json_line(sample_session()) + later + later + json_line(sample_end()))}));
  EXPECT_EQ(said_, Said({"a.jsonl: 2 records of type 'riddle' stepped over: this version does not "
                         "know it"}));
}

TEST_F(ReadingTest, HostileRecord_DamagedLine) {
  const std::string good = json_line(sample_sleep());
  const auto with = [&good](const std::string& patch) {
    auto record = nlohmann::json::parse(good);
    record.merge_patch(nlohmann::json::parse(patch));
    return record.dump() + "\n";
  };
  const std::vector<std::string> bad = {with(R"({"duration_ms":1e300})"),
                                        with(R"({"duration_ms":-1})"),
                                        with(R"({"id":-1})"),
                                        with(R"({"pid":99999999999})"),
                                        with(R"({"stack":{}})"),
                                        with(R"({"stack":[1]})"),
                                        with(R"({"cause":7})"),
                                        with(R"({"culprit":-3})"),
                                        with(R"({"loop":[]})"),
                                        with(R"({"time":"now"})"),
                                        with(R"({"limits":[{}]})"),
                                        with(R"({"call":"read"})"),
                                        with(R"({"stack":[{"offset":"0x"}]})"),
                                        with(R"({"call":{"arguments":{"a":[]}}})"),
                                        std::string(1 << 20, '[') + "\n",
                                        "{\"schema\":1,\"type\":\"stall\",\"id\":\"\xff\"}\n"};
  for (const std::string& line : bad) {
    said_.clear();
    summary_ = Summary();
    EXPECT_FALSE(read(
        {write("a.jsonl", json_line(sample_session()) + line + good + json_line(sample_end()))}))
        << line.substr(0, 300);
    EXPECT_EQ(said_.size(), 1U) << line.substr(0, 300);
    EXPECT_EQ(summary_.culprits().stalls(), 1U);
  }
  // A culprit beyond the stack is none.
  summary_ = Summary();
  EXPECT_TRUE(read({write("a.jsonl", with(R"({"culprit":1000})"))}));
  EXPECT_FALSE(summary_.culprits().by_total()[0]->frame.has_value());
}

TEST_F(ReadingTest, HugeSums_NoOverflow) {
  std::string run = json_line(sample_session());
  for (int i = 0; i < 3; ++i) {
    auto record = nlohmann::json::parse(json_line(sample_sleep()));
    record["duration_ms"] = 9.2e12;
    run += record.dump() + "\n";
  }
  auto end = nlohmann::json::parse(json_line(sample_end()));
  end["losses"]["events"] = UINT64_MAX;
  EXPECT_TRUE(read({write("a.jsonl", run + end.dump() + "\n" + end.dump() + "\n")}));
  EXPECT_EQ(summary_.culprits().stalled(), Nanoseconds::max());
  EXPECT_EQ(summary_.losses().events, UINT64_MAX);
  EXPECT_FALSE(summary_.text().empty());
}

TEST_F(ReadingTest, TooManyCulprits_Summed) {
  std::string run = json_line(sample_session());
  for (size_t i = 0; i < CulpritTally::kCulprits + 10; ++i) {
    Stall stall;
    stall.id = i + 1;
    stall.fingerprint = std::to_string(i);
    stall.duration = milliseconds(200);
    run += json_line(stall);
  }
  EXPECT_TRUE(read({write("a.jsonl", run + json_line(sample_end()))}));
  EXPECT_EQ(summary_.culprits().by_total().size(), CulpritTally::kCulprits);
  EXPECT_EQ(summary_.culprits().others().count, 10U);
  EXPECT_NE(summary_.text().find("… at least 4,047 culprits more"), std::string::npos)
      << summary_.text();
}

TEST_F(ReadingTest, Summary_Json) {
  EXPECT_TRUE(read({write("a.jsonl", whole_run())}));
  const auto json = nlohmann::json::parse(summary_.json());
  EXPECT_EQ(json["type"], "summary");
  EXPECT_EQ(json["longest_pause_ms"], 0.25);
  EXPECT_EQ(json["runs"], 1);
  EXPECT_EQ(json["stalls"], 2);
  EXPECT_EQ(json["stalled_ms"], 563.123);
  ASSERT_EQ(json["culprits"].size(), 2U);
  EXPECT_EQ(json["culprits"][0]["fingerprint"], "sleep-load_config");
  EXPECT_EQ(json["culprits"][0]["file"], "src/config.cc");
  EXPECT_EQ(json["culprits"][0]["line"], 42);
  EXPECT_EQ(json["culprits"][0]["share"], 0.7105);
  EXPECT_EQ(json["loops"][0]["iterations"], 40123);
  EXPECT_EQ(json["loops"][0]["busy_share"], 0.3);
  EXPECT_EQ(json["loops"][0]["p99_ms"], 3.2);
}

TEST_F(ReadingTest, Suppressed_SummedUp) {
  SessionEnd end = sample_end();
  end.counts[RecordKind::kStall].suppressed = 2;
  end.suppressed_time = milliseconds(700);
  const std::string run = json_line(sample_session()) + json_line(end);
  EXPECT_TRUE(read({write("a.jsonl", run), write("b.jsonl", run)}));
  EXPECT_NE(summary_.text().find("no stall\n4 known stalls, 1.40 s in all, suppressed\n"),
            std::string::npos)
      << summary_.text();
  const auto json = nlohmann::json::parse(summary_.json());
  EXPECT_EQ(json["suppressed"], 4);
  EXPECT_EQ(json["suppressed_ms"], 1400.0);
}

class ReportCommandTest : public ReadingTest {
 protected:
  struct Outcome {
    int status;
    std::string out;
    std::string err;
  };
  static Outcome run(std::vector<std::string> arguments) {
    CLI::App app;
    ReportOptions options;
    CLI::App* const command = add_report_command(app, options);
    arguments.insert(arguments.begin(), "report");
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    app.parse(arguments);
    EXPECT_TRUE(command->parsed());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Outcome outcome{report_command(options), "", ""};
    outcome.out = testing::internal::GetCapturedStdout();
    outcome.err = testing::internal::GetCapturedStderr();
    return outcome;
  }
};

TEST_F(ReportCommandTest, NoFile_Usage) {
  EXPECT_THROW(run({}), CLI::RequiredError);
}

TEST_F(ReportCommandTest, OneFile_Summary) {
  const Outcome outcome = run({write("a.jsonl", whole_run())});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_TRUE(outcome.out.starts_with("1 run, 10.0 s; 2 stalls, 563 ms in all\n"));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(ReportCommandTest, JsonOption_Json) {
  const Outcome outcome = run({"--json", write("a.jsonl", whole_run()), directory_});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["runs"], 2);
}

TEST_F(ReportCommandTest, OneBadFile_OthersSummedThenError) {
  const Outcome outcome = run({directory_ + "absent", write("a.jsonl", whole_run())});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(outcome.out.starts_with("1 run, 10.0 s; 2 stalls, 563 ms in all\n"));
  EXPECT_EQ(outcome.err, "tailback: " + directory_ + "absent: No such file or directory\n");
}

TEST_F(ReportCommandTest, NothingRead_NoSummary) {
  const Outcome outcome = run({directory_ + "absent"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
}

}  // namespace
}  // namespace tailback
