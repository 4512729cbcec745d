// Suppressions: rules, what they match, the filter, and rules made from recordings.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/suppress/baseline.h"
#include "runtime/suppress/rules_file.h"
#include "runtime/suppress/suppressing_reporter.h"
#include "tests/unit/recording_reporter.h"
#include "tests/unit/report_samples.h"

namespace tailback {
namespace {

std::string refusal_of(std::string_view text) {
  try {
    parse_rules(text, "k.supp");
    return "";
  } catch (const RulesFileError& error) {
    return error.what();
  }
}

bool rule_matches(const std::string& line, const Stall& stall = sample_sleep()) {
  return parse_rules(line, "k.supp").at(0).matches(stall);
}

TEST(Rules, BadRule_FileLineKey) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\n# c\nculprit=x", "k.supp:3: 'culprit': no such key"},
      {"cause", "k.supp:1: cause: no '='"},
      {"cause = sleep", "k.supp:1: cause: no '='"},
      {"cause=", "k.supp:1: cause: the pattern is empty"},
      {"call=\"\"", "k.supp:1: call: the pattern is empty"},
      {"cause=sleap", "k.supp:1: cause: no cause is 'sleap'; there are sleep, file"},
      {"call=a call=b", "k.supp:1: call: given twice"},
      {"function=\"a b", "k.supp:1: function: the quote is not closed"},
      {"function=\"a\"b", "k.supp:1: function: 'b' follows"},
      {"function=a\"b", "k.supp:1: function: a quote within"},
      {"call=x\x1b[31m\" ", "k.supp:1: call: a quote within 'x\\x1b[31m\"'"},
      {std::string("call=a\0b", 8), "k.supp:1: a zero byte"},
  };
  for (const auto& [text, line] : cases) {
    const std::string refusal = refusal_of(text);
    EXPECT_TRUE(refusal.starts_with(line)) << refusal;
    EXPECT_EQ(refusal.find('\n'), std::string::npos);
  }
}

TEST(Rules, UnreadableFile_Named) {
  for (const char* path : {"/no/such.supp", "/tmp"}) {
    try {
      read_rules(path);
      FAIL() << path;
    } catch (const RulesFileError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(path)) << error.what();
    }
  }
}

TEST(Rules, CommentsAndBlankLines_Ignored) {
  const auto rules =
      parse_rules("# a\n\n \t\r\n  call=x  # b\r\ncause=s*\tobject=\"/a b\"", "k.supp");
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].line, 4u);
  EXPECT_EQ(rules[0].text, "call=x");
  EXPECT_EQ(rules[1].line, 5u);
  EXPECT_EQ(rules[1].text, "cause=s*\tobject=\"/a b\"");
  EXPECT_EQ(rules[1].object, "/a b");
  EXPECT_TRUE(parse_rules("", "k.supp").empty());
}

TEST(Rules, OneKeyDiffers_NoMatch) {
  for (const char* line : {"cause=file", "cause=sleep call=read", "function=load",
                           "function=oad_config", "object=*", "call=clock", "fingerprint=sleep",
                           "cause=sleep function=main", "function=load_config(char)"}) {
    EXPECT_FALSE(rule_matches(line)) << line;
  }
  EXPECT_FALSE(rule_matches("call=*", Stall{}));
  EXPECT_FALSE(rule_matches("function=*", Stall{}));
}

TEST(Rules, AnyFrameAndPattern_Match) {
  for (const char* line :
       {"cause=sleep", "cause=sl*", "function=load_config",
        "function=\"load_config(char const\\*)\"", "function=run_loop", "function=clone?",
        "call=clock_[mn]anosleep", "fingerprint=sleep-load_config",
        "cause=sleep function=on_request call=*sleep"}) {
    EXPECT_TRUE(rule_matches(line)) << line;
  }
  Stall stall = sample_sleep();
  stall.call->object = "/var/log/app/today.log";
  EXPECT_TRUE(rule_matches("object=/var/log/*", stall));
  EXPECT_FALSE(rule_matches("object=/var/log/?", stall));
  stall.stack[2].function = "(anonymous namespace)::f<g(int)>(char)";
  EXPECT_TRUE(rule_matches("function=\"(anonymous namespace)::f<g(int)>\"", stall));
}

TEST(Rules, HostileName_MatchedFast) {
  Stall stall = sample_sleep();
  stall.stack[0].function = std::string(1 << 20, 'a');
  EXPECT_FALSE(rule_matches("function=*b", stall));
}

TEST(Rules, ExactWord_NoWildcard) {
  for (const std::string text : {"plain", "a b", "f(char const*)", "back\\slash", "q\"q", "[x]?",
                                 "new\nline", "operator*", "#x"}) {
    Stall stall;
    stall.fingerprint = text;
    const std::string word = exact_word("fingerprint", text);
    EXPECT_EQ(word.find('\n'), std::string::npos);
    EXPECT_TRUE(rule_matches(word, stall)) << word;
    stall.fingerprint = text + "x";
    EXPECT_FALSE(rule_matches(word, stall)) << word;
  }
  Stall other;
  other.fingerprint = "f(char constX)";
  EXPECT_FALSE(rule_matches(exact_word("fingerprint", "f(char const*)"), other));
}

TEST(SuppressingReporter, NoRules_AllReported) {
  RecordingReporter behind;
  SuppressingReporter reporter({}, behind);
  reporter.report(sample_session());
  reporter.report(sample_sleep());
  reporter.report(Note{});
  reporter.report(sample_end());
  EXPECT_EQ(behind.all<SessionStart>().size(), 1u);
  EXPECT_EQ(behind.all<Stall>().size(), 1u);
  EXPECT_EQ(behind.all<Note>().size(), 1u);
  EXPECT_EQ(reporter.reported("stall"), 1u);
  EXPECT_EQ(behind.all<SessionEnd>().at(0).counts[RecordKind::kStall].reported,
            sample_end().counts[RecordKind::kStall].reported);
  EXPECT_TRUE(behind.all<SessionEnd>().at(0).suppressions.empty());
}

TEST(SuppressingReporter, MatchingStall_CountedByRule) {
  RecordingReporter behind;
  SuppressingReporter reporter(
      parse_rules("cause=sleep\ncall=clock_nanosleep\ncause=dns", "k.supp"), behind);
  Stall sleep = sample_sleep();
  sleep.state = StallState::kOngoing;
  reporter.report(sleep);
  sleep.state = StallState::kEnded;
  reporter.report(sleep);
  reporter.report(sample_many());
  reporter.report(sample_end());
  ASSERT_EQ(behind.all<Stall>().size(), 1u);
  EXPECT_EQ(behind.all<Stall>()[0].cause, Cause::kMany);
  EXPECT_EQ(reporter.reported("stall"), 1u);
  const SessionEnd end = behind.all<SessionEnd>().at(0);
  EXPECT_EQ(end.counts[RecordKind::kStall].reported, 1u);
  EXPECT_EQ(end.stalled, std::chrono::milliseconds(163));
  EXPECT_EQ(end.counts[RecordKind::kStall].suppressed, 1u);
  EXPECT_EQ(end.suppressed_time, sample_sleep().duration);
  ASSERT_EQ(end.suppressions.size(), 3u);
  EXPECT_EQ(end.suppressions[0].matches, 1u);
  EXPECT_EQ(end.suppressions[1].matches, 1u);
  EXPECT_EQ(end.suppressions[2].matches, 0u);
  EXPECT_EQ(end.suppressions[2].line, 3u);
}

TEST(SuppressingReporter, MatchingBlockingCall_CallsCounted) {
  RecordingReporter behind;
  SuppressingReporter reporter(parse_rules("cause=sleep", "k.supp"), behind);
  BlockingCall known = sample_blocking_call();
  BlockingCall other = sample_blocking_call();
  other.longest.cause = Cause::kFile;
  for (int i = 0; i < 2; ++i) {
    reporter.report(known);
    reporter.report(other);
  }
  reporter.report(sample_status());
  reporter.report(sample_end());
  ASSERT_EQ(behind.all<BlockingCall>().size(), 2u);
  EXPECT_EQ(behind.all<BlockingCall>()[0].longest.cause, Cause::kFile);
  EXPECT_EQ(behind.all<SessionStatus>().size(), 1u);
  EXPECT_EQ(reporter.reported("blocking-call"), 2 * other.count);
  EXPECT_EQ(reporter.reported("stall"), 0u);
  const SessionEnd end = behind.all<SessionEnd>().at(0);
  EXPECT_EQ(end.counts[RecordKind::kBlockingCall].suppressed, 2 * known.count);
  EXPECT_EQ(end.suppressions.at(0).matches, 2u);
}

TEST(SuppressingReporter, ReportedOngoing_EndReported) {
  RecordingReporter behind;
  SuppressingReporter reporter(parse_rules("cause=sleep", "k.supp"), behind);
  Stall stall = sample_sleep();
  stall.state = StallState::kOngoing;
  stall.cause = Cause::kUnknown;
  reporter.report(stall);
  reporter.report(stall);
  EXPECT_EQ(reporter.reported("stall"), 1u);
  stall.cause = Cause::kSleep;
  stall.state = StallState::kEnded;
  reporter.report(stall);
  EXPECT_EQ(behind.all<Stall>().size(), 3u);
  EXPECT_EQ(reporter.reported("stall"), 1u);
  reporter.report(stall);  // another one, with an id of old
  EXPECT_EQ(behind.all<Stall>().size(), 3u);
}

TEST(Rule, OldCauseWords_MatchTheNewCauses) {
  Stall stall = sample_sleep();
  stall.cause = Cause::kRunQueueWait;
  EXPECT_TRUE(parse_rule("cause=starved")->matches(stall));
  stall.cause = Cause::kPageFault;
  EXPECT_TRUE(parse_rule("cause=fault")->matches(stall));
  EXPECT_FALSE(parse_rule("cause=starved")->matches(stall));
}

TEST(Baseline, EachCulprit_OneMatchingRule) {
  Baseline baseline;
  Stall stall = sample_sleep();
  baseline.report(stall);
  stall.duration = std::chrono::milliseconds(900);
  baseline.report(stall);
  Stall without = sample_many();
  without.fingerprint = "";
  baseline.report(without);
  Stall ongoing = sample_sleep();
  ongoing.state = StallState::kOngoing;
  ongoing.fingerprint = "only-in-progress";
  baseline.report(ongoing);
  EXPECT_EQ(baseline.text(),
            "# Made by 'tailback baseline': what was known when it was made.\n"
            "\n# 2 stalls, the longest 900 ms: sleep in load_config(char const*) "
            "(src/config.cc:42), clock_nanosleep\nfingerprint=sleep-load_config\n"
            "\n# 1 stall, the longest 163 ms: many in unixRead (sqlite3.c:38000)\n"
            "cause=many function=unixRead\n"
            "\n# seen in stalls in progress, 400 ms at most: sleep in load_config(char const*) "
            "(src/config.cc:42), clock_nanosleep\nfingerprint=only-in-progress\n");
  const auto rules = parse_rules(baseline.text(), "k.supp");
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_TRUE(rules[0].matches(sample_sleep()));
  EXPECT_TRUE(rules[1].matches(without));
  EXPECT_TRUE(rules[2].matches(ongoing));
}

TEST(Baseline, Findings_MatchedByFingerprint) {
  Baseline baseline;
  Deadlock deadlock;
  deadlock.fingerprint = "d1";
  baseline.report(deadlock);
  baseline.report(deadlock);
  LockOrder order;
  order.fingerprint = "o1";
  order.steps.resize(2);
  baseline.report(order);
  Race race;
  race.kind = "data-race";
  race.fingerprint = "r1";
  baseline.report(race);
  const auto rules = parse_rules(baseline.text(), "k.supp");
  ASSERT_EQ(rules.size(), 3u) << baseline.text();
  EXPECT_TRUE(rules[0].matches(deadlock));
  EXPECT_FALSE(rules[0].matches(race));
  EXPECT_TRUE(rules[2].matches(race));

  RecordingReporter told;
  SuppressingReporter reporter(rules, told);
  reporter.report(deadlock);
  reporter.report(order);
  reporter.report(race);
  EXPECT_TRUE(told.all<Deadlock>().empty());
  EXPECT_TRUE(told.all<LockOrder>().empty());
  EXPECT_TRUE(told.all<Race>().empty());
  EXPECT_EQ(reporter.reported("race"), 0u);
}

TEST(Baseline, HostileRecording_OneLineRules) {
  Baseline baseline;
  Stall stall = sample_sleep();
  stall.fingerprint = "x\ncause=*\n\x1b[2J\"";
  stall.stack[2].function = "evil\nfunction=*";
  baseline.report(stall);
  const auto rules = parse_rules(baseline.text(), "k.supp");
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_TRUE(rules[0].matches(stall));
  EXPECT_FALSE(rules[0].matches(sample_sleep()));
  EXPECT_EQ(baseline.text().find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace tailback
