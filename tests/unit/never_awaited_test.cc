// Coroutines that were never awaited: how they are read, told and recorded.
#include <gtest/gtest.h>

#include "runtime/explain/never_awaited.h"
#include "runtime/report/finding_text.h"
#include "runtime/report/json_record.h"
#include "runtime/report/never_awaited_text.h"
#include "runtime/report/record_parser.h"
#include "runtime/suppress/rule.h"
#include "runtime/suppress/suppressing_reporter.h"
#include "tests/unit/recording_reporter.h"

namespace tailback {
namespace {

constexpr char kWarning[] =
    "/srv/shop.py:19: RuntimeWarning: coroutine 'Shop.save' was never awaited\n"
    "  save(1)\n"
    "RuntimeWarning: Enable tracemalloc to get the object allocation traceback\n";

Frame frame(const char* function, int line = 1) {
  Frame frame;
  frame.function = function;
  frame.file = "/src/shop.cc";
  frame.line = line;
  return frame;
}

TEST(NeverAwaited, PythonWarning_Read) {
  const auto found = read_python_warning(kWarning);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->found_by, NeverAwaitedBy::kPython);
  EXPECT_EQ(found->coroutine, "Shop.save");
  ASSERT_EQ(found->stack.size(), 1u);
  EXPECT_EQ(found->stack[0].file, "/srv/shop.py");
  EXPECT_EQ(found->stack[0].line, 19);
  EXPECT_EQ(found->stack[0].language, "python");
  EXPECT_EQ(found->culprit, 0u);
}

TEST(NeverAwaited, WarningAfterOtherText_Found) {
  const auto found = read_python_warning(std::string("starting: now\n") + kWarning);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->stack.at(0).file, "/srv/shop.py");
}

TEST(NeverAwaited, OriginTracked_OriginShown) {
  const auto found = read_python_warning(
      "/usr/lib/python3.11/asyncio/events.py:80: RuntimeWarning: coroutine 'save' was never "
      "awaited\n"
      "Coroutine created at (most recent call last)\n"
      "  File \"/srv/shop.py\", line 30, in <module>\n"
      "    asyncio.run(main())\n"
      "  File \"/srv/a, in b.py\", line 19, in sell\n"
      "    save(1)\n"
      "  self._context.run(self._callback, *self._args)\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->stack.at(0).file, "/srv/a, in b.py");
  EXPECT_EQ(found->stack.at(0).line, 19);
  EXPECT_EQ(found->stack.at(0).function, "sell");
}

TEST(NeverAwaited, InterpreterEnd_NoPlace) {
  const auto found =
      read_python_warning("sys:1: RuntimeWarning: coroutine 'save' was never awaited\n");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->stack.empty());
  EXPECT_EQ(never_awaited_headline(*found), "coroutine save was never awaited");
}

TEST(NeverAwaited, OtherText_NotRead) {
  for (const char* text :
       {"", "was never awaited", "x.py:1: RuntimeWarning: coroutine 'a", "x.py:1: coroutine 'a'",
        ": RuntimeWarning: coroutine 'a' was never awaited",
        "x.py:one: RuntimeWarning: coroutine 'a' was never awaited",
        "x.py:0: RuntimeWarning: coroutine 'a' was never awaited",
        "x.py:99999999999: RuntimeWarning: coroutine 'a' was never awaited",
        "x.py:1: RuntimeWarning: coroutine 'a' was\nnever awaited"}) {
    EXPECT_FALSE(read_python_warning(text)) << text;
  }
}

TEST(NeverAwaited, Coroutine_CallerBlamed) {
  NeverAwaited found;
  found.stack = {frame("tailback_coroutine_made"),
                 frame("tailback::LazyPromise::LazyPromise()"),
                 frame("(anonymous namespace)::Lazy::promise_type::promise_type"),
                 frame("(anonymous namespace)::save(int)"),
                 frame("sell(Loop&)", 73),
                 frame("main")};
  name_coroutine(found);
  EXPECT_EQ(found.coroutine, "(anonymous namespace)::save(int)");
  EXPECT_EQ(found.culprit, 4u);
}

TEST(NeverAwaited, TemplateConstructor_Known) {
  NeverAwaited found;
  found.stack = {frame("Task<a::b>::Promise::Promise()"), frame("Base<a::b>::Base()"),
                 frame("save<a::b>(a::b const&)"), frame("main")};
  name_coroutine(found);
  EXPECT_EQ(found.coroutine, "save<a::b>(a::b const&)");
  EXPECT_EQ(found.culprit, 3u);
}

TEST(NeverAwaited, StackEndsEarly_NoCulprit) {
  NeverAwaited found;
  found.stack = {frame("tailback_coroutine_made"), frame("P::P()")};
  name_coroutine(found);
  EXPECT_EQ(found.culprit, found.stack.size());
  found.stack.clear();
  name_coroutine(found);
  EXPECT_EQ(found.culprit, 0u);
}

NeverAwaited sample() {
  NeverAwaited found = *read_python_warning(kWarning);
  found.pid = 12;
  found.tid = 13;
  found.process = "python3";
  found.thread = "worker";
  explain(found);
  return found;
}

TEST(NeverAwaited, OtherPlace_OtherFingerprint) {
  NeverAwaited other = sample();
  other.coroutine = "Shop.load";
  explain(other);
  EXPECT_NE(other.fingerprint, sample().fingerprint);
  NeverAwaited same = sample();
  same.pid = 99;
  explain(same);
  EXPECT_EQ(same.fingerprint, sample().fingerprint);
}

TEST(NeverAwaited, Written_ReadBack) {
  const NeverAwaited written = sample();
  const Record record = parse_record(json_line(written));
  ASSERT_TRUE(std::holds_alternative<NeverAwaited>(record));
  EXPECT_EQ(std::get<NeverAwaited>(record), written);
}

TEST(NeverAwaited, Record_Text) {
  EXPECT_EQ(full_never_awaited_text(sample(), {}),
            "tailback: coroutine Shop.save was never awaited, made in /srv/shop.py:19\n"
            "  process  python3[12], dropped by thread worker[13], as its interpreter warns\n"
            "    #0  > ?  /srv/shop.py:19\n"
            "  advice   await it, or hand it to asyncio.create_task() and keep the task: a "
            "coroutine that is only called does nothing\n");
  EXPECT_EQ(counts_text(RecordKind::kNeverAwaited, {}), "");
  EXPECT_EQ(counts_text(RecordKind::kNeverAwaited, {1, 2, 0, 0}),
            "tailback: 1 coroutine that is never awaited, 2 more like it\n");
}

TEST(NeverAwaited, MatchingRule_Suppressed) {
  RecordingReporter behind;
  SuppressingReporter reporter({*parse_rule("cause=never-awaited object=Shop.*")}, behind);
  NeverAwaited other = sample();
  other.coroutine = "Cart.save";
  reporter.report(sample());
  reporter.report(other);
  SessionEnd end;
  end.counts[RecordKind::kNeverAwaited].reported = 2;
  reporter.report(end);
  ASSERT_EQ(behind.all<NeverAwaited>().size(), 1u);
  EXPECT_EQ(behind.all<NeverAwaited>()[0].coroutine, "Cart.save");
  EXPECT_EQ(behind.all<SessionEnd>().at(0).counts[RecordKind::kNeverAwaited].reported, 1u);
  EXPECT_EQ(behind.all<SessionEnd>().at(0).counts[RecordKind::kNeverAwaited].suppressed, 1u);
}

}  // namespace
}  // namespace tailback
