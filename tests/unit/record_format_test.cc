// The recording's format: the files that are made of the description of its fields, and recordings
// of schema 1.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/report/json_record.h"
#include "runtime/report/limit_text.h"
#include "runtime/report/record_format.h"
#include "runtime/report/record_parser.h"
#include "tests/schema/report_schema.h"
#include "tests/unit/report_samples.h"

namespace tailback {
namespace {

std::string source(const std::string& path) {
  std::ifstream file(std::string(TAILBACK_SOURCE_DIR "/") + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Record> schema_1() {
  std::istringstream lines(source("tests/unit/recordings/schema_1.jsonl"));
  std::vector<Record> records;
  for (std::string line; std::getline(lines, line);) records.push_back(parse_record(line));
  return records;
}

template <typename Value>
std::vector<Value> all_of(const std::vector<Record>& records) {
  std::vector<Value> found;
  for (const Record& record : records) {
    if (const auto* const value = std::get_if<Value>(&record)) found.push_back(*value);
  }
  return found;
}

TEST(RecordFormat, SchemaFile_IsWhatTheDescriptionGives) {
  EXPECT_EQ(source("runtime/report/schema/report.schema.json"), schema_text())
      << "write it anew: print_record_format schema > runtime/report/schema/report.schema.json";
}

TEST(RecordFormat, Page_HasTheTablesOfTheDescription) {
  const std::string page = source("docs/recording-format.md");
  const std::string begin = "<!-- fields: made by print_record_format tables -->\n\n";
  const std::string end = "<!-- end of fields -->\n";
  const size_t from = page.find(begin);
  const size_t to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(page.substr(from + begin.size(), to - from - begin.size()), field_tables());
}

TEST(RecordFormat, SchemaOne_IsReadAsSchemaTwo) {
  const std::vector<Record> records = schema_1();
  const auto stalls = all_of<Stall>(records);
  ASSERT_FALSE(stalls.empty());
  EXPECT_EQ(stalls[0].cause, Cause::kSleep);
  EXPECT_TRUE(stalls[0].pending_events.has_value());
  EXPECT_FALSE(stalls[0].stacks.empty());
  const auto calls = all_of<BlockingCall>(records);
  ASSERT_FALSE(calls.empty());
  EXPECT_EQ(calls[0].kind, BlockingCallKind::kWaited);
  EXPECT_EQ(all_of<Deadlock>(records).size(), 1u);
  EXPECT_EQ(all_of<LockOrder>(records).size(), 1u);
  EXPECT_EQ(all_of<NeverAwaited>(records).size(), 1u);
  EXPECT_EQ(all_of<Assessment>(records).size(), 1u);
  EXPECT_FALSE(all_of<Contention>(records).empty());
  EXPECT_EQ(all_of<SessionEnd>(records).size(), all_of<SessionStart>(records).size());
}

TEST(RecordFormat, SchemaOne_EndCountsAreKept) {
  KindCounts sum;
  for (const SessionEnd& end : all_of<SessionEnd>(schema_1())) {
    for (const RecordKindRow& row : kRecordKinds) {
      sum[row.kind].reported += end.counts[row.kind].reported;
      sum[row.kind].repeated += end.counts[row.kind].repeated;
    }
    EXPECT_FALSE(end.loops.empty() && end.counts[RecordKind::kStall].reported > 0);
  }
  const std::vector<Record> records = schema_1();
  EXPECT_EQ(sum[RecordKind::kStall].reported, [&] {
    uint64_t final = 0;
    for (const Stall& stall : all_of<Stall>(records)) final += stall.state != StallState::kOngoing;
    return final;
  }());
  EXPECT_EQ(sum[RecordKind::kDeadlock].reported, 1u);
  EXPECT_EQ(sum[RecordKind::kLockOrder].reported, 1u);
  EXPECT_EQ(sum[RecordKind::kNeverAwaited].reported, 1u);
  EXPECT_GT(sum[RecordKind::kBlockingCall].reported, 0u);
  EXPECT_GT(sum[RecordKind::kContention].reported, 0u);
}

TEST(RecordFormat, SchemaOne_WordsAndNotesAreConverted) {
  const std::string stall =
      R"({"schema":1,"type":"stall","id":1,"state":"ended","time":"2025-11-22T15:13:01.123+00:00",)"
      R"("loop":{"wait":"poll","fd":null},"turn":"GET /","duration_ms":5,"cause":"starved",)"
      R"("stacks":[{"complete":false,"stack":[]}],"notes":["the observer was late"]})";
  const auto read = std::get<Stall>(parse_record(stall));
  EXPECT_EQ(read.cause, Cause::kRunQueueWait);
  EXPECT_EQ(read.iteration, "GET /");
  ASSERT_EQ(read.stacks.size(), 1u);
  EXPECT_FALSE(read.stacks[0].complete);
  ASSERT_EQ(read.limits.size(), 1u);
  EXPECT_EQ(limit_text(read.limits[0]), "the observer was late");
}

TEST(RecordFormat, SchemaOne_WrittenAgainIsSchemaTwo) {
  for (const Record& record : schema_1()) {
    const auto line = nlohmann::json::parse(json_line(record));
    EXPECT_EQ(test::schema_faults(line), std::vector<std::string>()) << line;
  }
}

TEST(RecordFormat, BlockingCall_KeepsLockOwnersTaskAndIteration) {
  BlockingCall call = sample_blocking_call();
  call.longest.lock = sample_lock("cache_mutex");
  call.longest.owners = {sample_owner()};
  call.longest.task = "fetch";
  call.longest.iteration = "GET /";
  const auto read = std::get<BlockingCall>(parse_record(json_line(call)));
  EXPECT_EQ(read.longest.lock, call.longest.lock);
  EXPECT_EQ(read.longest.owners, call.longest.owners);
  EXPECT_EQ(read.longest.task, "fetch");
  EXPECT_EQ(read.longest.iteration, "GET /");
}

TEST(RecordFormat, Limits_AreReadBackWithTheirNumbers) {
  Stall stall = sample_sleep();
  stall.limits = {{LimitKind::kObserverLate, std::chrono::milliseconds(120)},
                  {LimitKind::kOwnerUnknown, {}, "mutex", "it does not record its owner"}};
  const auto line = nlohmann::json::parse(json_line(stall));
  EXPECT_EQ(line["limits"][0]["kind"], "observer-late");
  EXPECT_EQ(line["limits"][0]["duration_ms"], 120.0);
  EXPECT_EQ(line["limits"][1]["text"],
            "the owner of the mutex is not known: it does not record its owner");
  EXPECT_EQ(std::get<Stall>(parse_record(json_line(stall))).limits, stall.limits);
}

TEST(RecordFormat, Keys_HaveUnderscoresAndWordsHaveDashes) {
  const nlohmann::json& schema = test::report_schema();
  for (const auto& [name, definition] : schema["definitions"].items()) {
    const auto properties = definition.value("properties", nlohmann::json::object());
    for (const auto& [key, value] : properties.items()) {
      EXPECT_EQ(key.find('-'), std::string::npos) << name << "." << key;
      const auto words = value.value("enum", nlohmann::json::array());
      for (const auto& word : words) {
        EXPECT_EQ(word.get<std::string>().find('_'), std::string::npos) << name << "." << word;
      }
    }
  }
}

}  // namespace
}  // namespace tailback
