// An assessment written down: as text, as a line of a recording, and read back.
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "runtime/report/assessment_text.h"
#include "runtime/report/json_record.h"
#include "runtime/report/record_parser.h"
#include "runtime/report/summary.h"

namespace tailback {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Assessment sample() {
  Assessment assessment;
  assessment.time = WallTime(seconds(1'700'000'000));
  Verdict& verdict = assessment.verdict;
  verdict.limit = Limit::kIo;
  verdict.present = Model::kThreads;
  verdict.model = Model::kEventLoop;
  verdict.change = true;
  verdict.confidence = Confidence::kMedium;
  verdict.doubts = {"one", "two"};
  verdict.finding = "It waits.";
  verdict.advice = "Use a loop.";
  Measurement& measured = assessment.measured;
  measured.duration = seconds(2);
  measured.samples = 200;
  measured.program.waiting = seconds(2);
  measured.threads.on_cpu = milliseconds(12);
  measured.threads.blocked[static_cast<size_t>(Activity::kSocket)] = seconds(300);
  measured.in_flight = {seconds(2), 149.6, 150, 160, 170, 900};
  measured.most_threads = 171;
  measured.stack_threads = 150;
  measured.stack_bytes = 8192;
  return assessment;
}

bool says(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

TEST(AssessmentText, Assessment_AnswerFirst) {
  const std::string text = assessment_text(sample());
  EXPECT_TRUE(text.starts_with("tailback advise: what slows it down: waiting for I/O\n")) << text;
  EXPECT_TRUE(says(text, "fits          an event loop (now: threads)")) << text;
  EXPECT_TRUE(says(text, "medium: one; two")) << text;
  EXPECT_TRUE(says(text, "5 min 0 s at sockets")) << text;
  EXPECT_TRUE(says(text, "149.6 operations on average, 170 at most")) << text;
  EXPECT_TRUE(says(text, "a thread's stack 8 KB (of 150)")) << text;
  EXPECT_FALSE(says(text, "processes     ")) << text;
}

TEST(AssessmentText, AlreadyFitting_SaidSo) {
  Verdict verdict = sample().verdict;
  verdict.change = false;
  EXPECT_TRUE(says(verdict_text(verdict), "what it has (threads)"));
  verdict.change = true;
  verdict.model = verdict.present;
  EXPECT_TRUE(says(verdict_text(verdict), "threads, as now"));
  verdict.limit = Limit::kUnknown;
  EXPECT_TRUE(says(verdict_text(verdict), "fits          not known"));
}

TEST(AssessmentText, HostileNames_Escaped) {
  Verdict verdict = sample().verdict;
  verdict.finding = "in \x1b[31mred\nfake line \xff";
  const std::string text = verdict_text(verdict);
  EXPECT_FALSE(says(text, "\x1b"));
  EXPECT_FALSE(says(text, "\nfake"));
  EXPECT_TRUE(says(text, "\\x1b[31mred\\nfake"));
}

TEST(AssessmentRecord, Written_ReadBack) {
  const Assessment written = sample();
  const std::string line = json_line(written);
  EXPECT_TRUE(line.ends_with("}\n"));
  const Record record = parse_record(line);
  ASSERT_TRUE(std::holds_alternative<Assessment>(record)) << line;
  const Assessment& read = std::get<Assessment>(record);
  EXPECT_EQ(read.time, written.time);
  EXPECT_EQ(verdict_text(read.verdict), verdict_text(written.verdict));
}

TEST(AssessmentRecord, InvalidUtf8_StillOneLine) {
  Assessment assessment = sample();
  assessment.measured.lock = "\xff\xfe";
  assessment.verdict.finding = "\xff";
  EXPECT_TRUE(std::holds_alternative<Assessment>(parse_record(json_line(assessment))));
}

TEST(AssessmentRecord, UnknownWord_Refused) {
  std::string line = json_line(sample());
  const std::string word = "\"limit\":\"io\"";
  line.replace(line.find(word), word.size(), "\"limit\":\"luck\"");
  EXPECT_THROW(parse_record(line), MalformedRecord);
}

TEST(Summary, SeveralRuns_EachAdvice) {
  Summary summary;
  summary.report(SessionStart{});
  summary.report(sample());
  summary.report(SessionEnd{});
  EXPECT_TRUE(says(summary.text(), "It waits."));
}

}  // namespace
}  // namespace tailback
