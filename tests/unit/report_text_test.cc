// The report for people.
#include <gtest/gtest.h>
#include <pty.h>
#include <spdlog/sinks/ostream_sink.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "report_samples.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/report/text_reporter.h"

namespace tailback {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// A text reporter, and what it has written.
struct Report {
  explicit Report(TextStyle style = {}, bool announce = false,
                  unsigned reports_per_culprit = TextReporter::kReportsPerCulprit)
      : reporter(std::make_shared<spdlog::sinks::ostream_sink_mt>(stream), style, announce,
                 reports_per_culprit) {}
  std::string take() {
    std::string text = stream.str();
    stream.str("");
    return text;
  }
  std::ostringstream stream;
  TextReporter reporter;
};

class TextReporterTest : public testing::Test {
 protected:
  void SetUp() override { use_utc(); }
};

TEST_F(TextReporterTest, NoStalls_OneLine) {
  Report report;
  report.reporter.report(sample_session());
  EXPECT_EQ(report.take(), "");
  SessionEnd end = sample_end();
  end.counts[RecordKind::kStall].reported = 0;
  end.loops[0].longest = microseconds(3200);
  report.reporter.report(end);
  EXPECT_EQ(
      report.take(),
      "tailback: no stall over 100 ms in 10.0 s; 1 loop, 40,123 iterations, the longest 3.20 ms\n");
}

TEST_F(TextReporterTest, NoLoop_SaidSo) {
  Report report;
  SessionEnd end = sample_end();
  end.loops.clear();
  report.reporter.report(end);
  EXPECT_EQ(report.take(), "tailback: no event loop was seen in 10.0 s (1 process, 3 threads)\n");
}

TEST_F(TextReporterTest, Stall_FullText) {
  Report report;
  report.reporter.report(sample_sleep());
  EXPECT_EQ(
      report.take(),
      R"(tailback: event loop blocked for 400 ms: sleep in load_config(char const*) (src/config.cc:42)
  loop     server[4711], thread io-0[4713], epoll_wait on fd 5
  since    2025-11-22 15:13:01.123 +00:00
  call     clock_nanosleep(clock=1, request=400 ms)
  stack    3 samples
    #0    clock_nanosleep           libc.so.6+0xd5000
    #1    usleep                    libc.so.6+0xd5100
    #2  > load_config(char const*)  src/config.cc:42
    #3    on_request                src/server.cc:88
    #4    dispatch                  src/loop.cc:12
    #5    run_loop                  src/loop.cc:30
         … 3 frames: 1 of server, 2 of libc.so.6 …
  pending  12 events were ready when the loop came back
  advice   Use a timer of the loop instead of a sleep.
)");
}

TEST_F(TextReporterTest, ManyCalls_FullText) {
  Report report;
  report.reporter.report(sample_many());
  EXPECT_EQ(report.take(),
            R"(tailback: event loop blocked for 163 ms: many in unixRead (sqlite3.c:38000)
  loop     python3[4800], main thread, poll
  since    2025-11-22 15:13:01.123 +00:00
  time     4.00 ms on CPU, 120 µs ready to run but without a CPU, 159 ms blocked, 159 ms in calls, 3 major page faults
  mostly   150 ms, pread64 (20 calls, longest 8.20 ms) from unixRead (sqlite3.c:38000)
           9.00 ms, fsync (1 call, longest 9.00 ms)
  stack    1 sample, does not reach the start of the thread
    #0    pread64   libc.so.6+0x1000
    #1  > unixRead  sqlite3.c:38000
         … 5 frames: 4 of python3.11, 1 of anonymous memory …
  note     the observer itself was 40.0 ms late: the length is exact, but what happened meanwhile was not seen
  advice   Batch the calls, or move them to a worker thread.
)");
}

TEST_F(TextReporterTest, Notes_Sentences) {
  Report report;
  report.reporter.report(sample_stop());
  EXPECT_EQ(report.take(),
            "tailback: note: server[4711] io-0[4713] was stopped from outside (a signal or a "
            "debugger) for about 1.20 s: not counted\n");
  Note note{NoteKind::kSuspended, sample_time(), std::chrono::seconds(3), 0, 0, {}, {}};
  report.reporter.report(note);
  EXPECT_EQ(report.take(), "tailback: note: the machine was suspended for 3.00 s: not counted\n");
  note.kind = NoteKind::kObserverLate;
  report.reporter.report(note);
  EXPECT_EQ(
      report.take(),
      "tailback: note: the observer itself was 3.00 s late, stopped or without a CPU: lengths "
      "are exact, stacks may be missing\n");
}

TEST_F(TextReporterTest, Objects_Named) {
  Report report;
  Stall stall = sample_sleep();
  stall.cause = Cause::kFile;
  stall.call->function = "read";
  stall.call->intercepted = false;
  stall.call->object = "/srv/\x1b[31mdata";
  report.reporter.report(stall);
  const std::string text = report.take();
  EXPECT_NE(text.find("400 ms: file in load_config(char const*) (src/config.cc:42), on "
                      "/srv/\\x1b[31mdata\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("read(clock=1, request=400 ms) (from /proc, not intercepted)\n"),
            std::string::npos);
}

TEST_F(TextReporterTest, Repeats_OneLineWithCount) {
  Report report;
  Stall stall = sample_sleep();
  report.reporter.report(stall);
  report.take();
  stall.id = 2;
  stall.duration = seconds(1);
  report.reporter.report(stall);
  EXPECT_EQ(report.take(),
            "tailback: again, 1.00 s: sleep in load_config(char const*) (src/config.cc:42); "
            "server[4711] io-0[4713]; 2 times, 1.40 s in all\n");
  stall.id = 3;
  stall.state = StallState::kUnfinished;
  report.reporter.report(stall);
  EXPECT_EQ(report.take(),
            "tailback: again, 1.00 s, until the program ended: sleep in load_config(char const*) "
            "(src/config.cc:42); server[4711] io-0[4713]; 3 times, 2.40 s in all\n");
  // Another culprit is new.
  report.reporter.report(sample_many());
  EXPECT_TRUE(
      report.take().starts_with("tailback: event loop blocked for 163 ms: many in unixRead"));
}

TEST_F(TextReporterTest, OngoingStall_ReportedWhileOngoing) {
  Report report;
  Stall stall = sample_sleep();
  stall.state = StallState::kOngoing;
  stall.pending_events.reset();
  report.reporter.report(stall);
  EXPECT_TRUE(report.take().starts_with(
      "tailback: event loop blocked for 400 ms so far: sleep in load_config(char const*) "
      "(src/config.cc:42)\n"));
  stall.duration = milliseconds(800);
  report.reporter.report(stall);
  EXPECT_EQ(report.take(),
            "tailback: still blocked after 800 ms: sleep in load_config(char const*) "
            "(src/config.cc:42); server[4711] io-0[4713]\n");
  stall.state = StallState::kEnded;
  stall.duration = seconds(1);
  stall.pending_events = 1;
  report.reporter.report(stall);
  EXPECT_EQ(
      report.take(),
      "tailback: unblocked after 1.00 s: sleep in load_config(char const*) (src/config.cc:42); "
      "server[4711] io-0[4713]; 1 event was ready when the loop came back\n");
  // The same id in the same session is over; a new stall of that culprit is a repeat.
  stall.id = 2;
  stall.state = StallState::kOngoing;
  report.reporter.report(stall);
  EXPECT_EQ(report.take(),
            "tailback: again, 1.00 s so far: sleep in load_config(char const*) "
            "(src/config.cc:42); server[4711] io-0[4713]\n");
  stall.state = StallState::kUnfinished;
  stall.pending_events.reset();
  report.reporter.report(stall);
  EXPECT_EQ(report.take(),
            "tailback: event loop blocked for 1.00 s, until the program ended: sleep in "
            "load_config(char const*) (src/config.cc:42); server[4711] io-0[4713]\n");
}

TEST_F(TextReporterTest, CulpritChanges_FullTextAgain) {
  Report report;
  Stall stall = sample_sleep();
  stall.state = StallState::kOngoing;
  report.reporter.report(stall);
  report.take();
  stall.state = StallState::kEnded;
  stall.cause = Cause::kMany;
  stall.fingerprint = "many";
  report.reporter.report(stall);
  EXPECT_TRUE(report.take().starts_with("tailback: event loop blocked for 400 ms: many in "));
}

TEST_F(TextReporterTest, End_Summary) {
  Report report;
  report.reporter.report(sample_session());
  report.reporter.report(sample_sleep());
  report.reporter.report(sample_many());
  report.take();
  SessionEnd end = sample_end();
  end.losses.events = 1;
  end.losses.samples = 12;
  report.reporter.report(end);
  EXPECT_EQ(report.take(), R"(tailback: 2 stalls over 100 ms, 563 ms in all, in 10.0 s
  culprit                                      cause  count   total  longest  share
  load_config(char const*) (src/config.cc:42)  sleep      1  400 ms   400 ms   71 %
  unixRead (sqlite3.c:38000)                   many       1  163 ms   163 ms   29 %
  loop                                                 iterations  busy      p50     p90      p99    p99.9  longest
  server[4711], thread io-0[4713], epoll_wait on fd 5      40,123  30 %  12.0 µs  100 µs  3.20 ms  90.0 ms   400 ms
  longest pause of a thread: 250 µs
tailback: incomplete:
  1 long iteration is missing: the ring of events was full
  12 stalls have no stack: none could be read in time
)");
}

TEST_F(TextReporterTest, PauseBeyondLimit_SaidWithReason) {
  Report report;
  SessionEnd end = sample_end();
  end.longest_pause = microseconds(1010);  // it measured itself a moment later
  report.reporter.report(sample_sleep());
  report.take();
  report.reporter.report(end);
  EXPECT_NE(report.take().find("longest pause of a thread: 1.01 ms\n"), std::string::npos);
  Report quiet;
  end.longest_pause = microseconds(2500);
  quiet.reporter.report(end);
  EXPECT_NE(
      quiet.take().find("longest pause of a thread: 2.50 ms (limit 1.00 ms; the machine took its "
                        "CPU away)\n"),
      std::string::npos);
  Report none;
  end.longest_pause = {};
  none.reporter.report(sample_sleep());
  none.take();
  none.reporter.report(end);
  EXPECT_EQ(none.take().find("longest pause"), std::string::npos);
}

TEST_F(TextReporterTest, CapReached_SuppressedAndSaid) {
  Report report({}, false, 1000);
  Stall stall = sample_sleep();
  for (unsigned i = 0; i < TextReporter::kReportsPerMinute; ++i) {
    stall.id = i + 1;
    report.reporter.report(stall);
    EXPECT_NE(report.take(), "");
  }
  for (int i = 0; i < 5; ++i) {
    ++stall.id;
    report.reporter.report(stall);
    EXPECT_EQ(report.take(), "");
  }
  stall.begin += minutes(1);
  report.reporter.report(stall);
  EXPECT_EQ(report.take(),
            "tailback: 5 reports suppressed (limit 60 a minute); the summary has all stalls\n"
            "tailback: again, 400 ms: sleep in load_config(char const*) (src/config.cc:42); "
            "server[4711] io-0[4713]; 66 times, 26.4 s in all\n");
  report.reporter.report(sample_end());
  EXPECT_TRUE(report.take().starts_with("tailback: 66 stalls, 26.4 s in all"));
}

TEST_F(TextReporterTest, CapPerCulprit_OthersReported) {
  Report report({}, false, 2);
  Stall stall = sample_sleep();
  for (int i = 0; i < 5; ++i) {
    ++stall.id;
    report.reporter.report(stall);
    EXPECT_EQ(report.take().empty(), i >= 2) << i;
  }
  report.reporter.report(sample_many());
  EXPECT_NE(report.take(), "");
  stall.begin += minutes(1);
  report.reporter.report(stall);
  EXPECT_EQ(
      report.take(),
      "tailback: 3 reports of sleep in load_config(char const*) (src/config.cc:42) suppressed "
      "(limit 2 a minute); the summary has all stalls\n"
      "tailback: again, 400 ms: sleep in load_config(char const*) (src/config.cc:42); "
      "server[4711] io-0[4713]; 6 times, 2.40 s in all\n");
  report.reporter.report(sample_end());
  EXPECT_EQ(report.take().find("suppressed"), std::string::npos);
}

TEST_F(TextReporterTest, NamedIteration_NameBesideLoop) {
  Report report;
  Stall stall = sample_sleep();
  stall.iteration = "GET /orders\n";
  report.reporter.report(stall);
  const std::string text = report.take();
  EXPECT_NE(text.find("\n  iteration GET /orders\\n\n"), std::string::npos) << text;
}

TEST_F(TextReporterTest, UnmatchedPatterns_NamedAtEnd) {
  Report report;
  SessionEnd end = sample_end();
  end.unused_options = {"--loop absent*"};
  report.reporter.report(end);
  EXPECT_TRUE(report.take().starts_with(
      "tailback: --loop absent* matched no thread that completed an iteration\n"));
}

TEST_F(TextReporterTest, End_SuppressedAndUnmatchedRules) {
  Report report;
  report.reporter.report(sample_session());
  SessionEnd end = sample_end();
  end.counts[RecordKind::kStall].suppressed = 3;
  end.suppressed_time = std::chrono::milliseconds(1200);
  end.suppressions = {{"known.supp", 2, "call=nanosleep", 3}, {"known.supp", 7, "cause=dns", 0}};
  report.reporter.report(end);
  EXPECT_EQ(
      report.take(),
      "tailback: 3 known stalls, 1.20 s in all, suppressed\n"
      "  known.supp:2: call=nanosleep: 3 stalls\n"
      "tailback: 1 suppression matched nothing\n"
      "  known.supp:7: cause=dns\n"
      "tailback: no other stall over 100 ms in 10.0 s; 1 loop, 40,123 iterations, the longest "
      "400 ms\n");
}

TEST_F(TextReporterTest, CulpritSuppressedByCap_FullReportLater) {
  Report report({}, false, 1000);
  Stall stall = sample_sleep();
  for (unsigned i = 0; i < TextReporter::kReportsPerMinute; ++i) report.reporter.report(stall);
  report.reporter.report(sample_many());
  report.take();
  Stall later = sample_many();
  later.begin += minutes(2);
  report.reporter.report(later);
  EXPECT_NE(report.take().find("tailback: event loop blocked for 163 ms: many in unixRead"),
            std::string::npos);
}

TEST_F(TextReporterTest, FullStackOption_WholeStack) {
  TextStyle style;
  style.whole_stacks = true;
  Report report(style);
  report.reporter.report(sample_sleep());
  const std::string text = report.take();
  EXPECT_EQ(text.find("…"), std::string::npos);
  EXPECT_NE(text.find("    #8    clone3                    libc.so.6+0x109000\n"),
            std::string::npos)
      << text;
}

TEST_F(TextReporterTest, ColorOption_Obeyed) {
  Report plain;
  plain.reporter.report(sample_sleep());
  EXPECT_EQ(plain.take().find('\x1b'), std::string::npos);
  TextStyle style;
  style.colour = true;
  Report coloured(style);
  coloured.reporter.report(sample_sleep());
  EXPECT_TRUE(coloured.take().starts_with("\x1b[1;31mtailback: event loop blocked for 400 ms"));
}

TEST_F(TextReporterTest, Color_OnlyTerminalWithoutNoColor) {
  int ends[2] = {-1, -1};
  char name[64] = "";
  ASSERT_EQ(::openpty(&ends[0], &ends[1], name, nullptr, nullptr), 0);
  ::setenv("TERM", "xterm", 1);
  const auto first_bytes = [&] {
    TextReporter::Options options;
    options.file = name;
    TextReporter(options).report(Stall{});
    char text[4096] = "";
    const ssize_t count = ::read(ends[0], text, sizeof(text));
    return std::string(text, std::min<size_t>(count > 0 ? static_cast<size_t>(count) : 0, 8));
  };
  ::unsetenv("NO_COLOR");
  EXPECT_EQ(first_bytes(), "\x1b[1;31mt");
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(first_bytes(), "tailback");
  ::setenv("NO_COLOR", "", 1);
  ::setenv("TERM", "dumb", 1);
  EXPECT_EQ(first_bytes(), "tailback");
  ::unsetenv("NO_COLOR");
  ::close(ends[0]);
  ::close(ends[1]);

  // A file is no terminal.
  ::setenv("TERM", "xterm", 1);
  const std::string path = testing::TempDir() + "tailback-text-" + std::to_string(::getpid());
  TextReporter::Options options;
  options.file = path;
  TextReporter(options).report(sample_sleep());
  std::ifstream file(path);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  EXPECT_TRUE(content.starts_with("tailback: event loop blocked for 400 ms"));
  EXPECT_EQ(content.find('\x1b'), std::string::npos);
  ::unlink(path.c_str());
}

TEST_F(TextReporterTest, FullDisk_SessionContinues) {
  std::vector<std::string> complaints;
  {
    TextReporter::Options options;
    options.file = "/dev/full";
    TextReporter reporter(options, [&](std::string_view line) { complaints.emplace_back(line); });
    reporter.report(sample_sleep());
    reporter.report(sample_sleep());
    reporter.report(sample_end());
    EXPECT_EQ(complaints.size(), 1U);
  }
  ASSERT_EQ(complaints.size(), 2U);
  EXPECT_EQ(complaints[1],
            "tailback: 3 reports could not be written to /dev/full (No space left on device) and "
            "are lost");
}

TEST_F(TextReporterTest, HostileText_EscapedAndBounded) {
  std::string evil = "\x1b]0;owned\x07\n\xff{}%s\xe2\x80\xae";
  evil += std::string(100'000, 'x');
  Stall stall = sample_sleep();
  stall.process = stall.thread = stall.loop.wait = stall.advice = stall.fingerprint = evil;
  stall.limits.assign(100, {LimitKind::kOther, {}, {}, evil});
  stall.call->function = stall.call->object = evil;
  stall.call->arguments.assign(100, {evil, evil, false});
  Frame frame;
  frame.function = frame.file = frame.module = evil;
  frame.line = -1;
  stall.stack.assign(300, frame);
  stall.culprit = 150;
  Report report({}, true);
  SessionStart start = sample_session();
  start.command.assign(100, evil);
  report.reporter.report(start);
  report.reporter.report(stall);
  stall.id = 2;
  report.reporter.report(stall);
  SessionEnd end = sample_end();
  end.loops[0].process = end.loops[0].thread = end.loops[0].loop.wait = evil;
  report.reporter.report(end);

  const std::string text = report.take();
  EXPECT_LT(text.size(), 100'000U);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20U) << line;
    EXPECT_LE(columns(line), 350U) << line;
    EXPECT_EQ(escape_for_terminal(line, 1 << 20), line);
    EXPECT_TRUE(line.starts_with("tailback") || line.starts_with("  ")) << line;
  }
}

TEST_F(TextReporterTest, NothingKnown_ShortText) {
  Report report;
  report.reporter.report(Stall{});
  EXPECT_EQ(report.take(),
            "tailback: event loop blocked for 0 ns: unknown in unknown code\n"
            "  loop     [0], main thread, \n"
            "  since    1970-01-01 00:00:00.000 +00:00\n");
}

TEST_F(TextReporterTest, LogFile_BeginsWithCommand) {
  Report report({}, true);
  report.reporter.report(sample_session());
  EXPECT_EQ(report.take(),
            "tailback 0.1.0: ./server --port 0 (pid 4711), threshold 100 ms, "
            "2025-11-22 15:13:01.123 +00:00\n");
}

}  // namespace
}  // namespace tailback
