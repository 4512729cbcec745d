// Reports of ThreadSanitizer, as its runtimes print them: read, and found in logs.
#include "runtime/thread_sanitizer/report_text.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "runtime/thread_sanitizer/report_logs.h"

namespace tailback {
namespace {

using contract::BlockKind;

// gcc 12.2's runtime.
constexpr std::string_view kRace = R"(==================
WARNING: ThreadSanitizer: data race (pid=8162)
  Read of size 4 at 0x5555585b7aac by thread T1 (mutexes: read M10):
    #0 increment /src/my races/races.cc:40 (races+0xc0469)
    #1 <null> <null> (libstdc++.so.6+0xd44a2)

  Previous atomic write of size 8 at 0x5555585b7aa8 by main thread:
    #0 void f<int, g(int)::<lambda()> >(h&&) ../races.cc:46 (races+0xc095f)

  As if synchronized via sleep:
    #0 usleep <null> (races+0x46cb0)

  Location is global '(anonymous namespace)::counter' of size 4 at 0x5555585b7aac (races+0x3063aac)

  Mutex M10 (0x5555585b9a00) created at:
    #0 pthread_rwlock_rdlock <null> (races+0x27370)

  Thread T1 'a racer' (tid=8165, running) created by thread T2 at:
    #0 pthread_create <null> (races+0x42d96)

  Thread T2 (tid=8166, finished) created at:
    #0 pthread_create <null> (races+0x42d96)

SUMMARY: ThreadSanitizer: data race /src/races.cc:40 in increment
==================
)";

// clang 14's.
constexpr std::string_view kOrder = R"(==================
WARNING: ThreadSanitizer: lock-order-inversion (potential deadlock) (pid=8224)
  Cycle in lock order graph: M0 (0x555556a4f6a0) => M1 (0x555556a4f6c8) => M0

  Mutex M1 acquired here while holding mutex M0 in thread T1:
    #0 pthread_mutex_lock <null> (rc+0x70f5a) (BuildId: 4672f70bee161a3de6cf4253829d805d6f8cf19e)
    #1 (anonymous namespace)::take_both(pthread_mutex_t*, int) /src/races.cc:66:3 (rc+0xd4d83) (BuildId: 4672)

  Mutex M0 previously acquired by the same thread here:
    #0 pthread_mutex_lock <null> (rc+0x70f5a) (BuildId: 4672f70bee161a3de6cf4253829d805d6f8cf19e)

    Hint: use TSAN_OPTIONS=second_deadlock_stack=1 to get more informative warning message

  Mutex M0 acquired here while holding mutex M1 in main thread:
    #0 pthread_mutex_lock <null> (rc+0x70f5a) (BuildId: 4672f70bee161a3de6cf4253829d805d6f8cf19e)

  Thread T1 (tid=8227, finished) created by main thread at:
    #0 pthread_create <null> (rc+0x533cd) (BuildId: 4672f70bee161a3de6cf4253829d805d6f8cf19e)

SUMMARY: ThreadSanitizer: lock-order-inversion (potential deadlock) (/src/rc+0x70f5a) in pthread_mutex_lock
==================
)";

std::vector<TextReport> reports_in(std::string_view text) {
  ReportText reader;
  reader.add(text);
  reader.finish();
  std::vector<TextReport> reports;
  while (auto report = reader.next()) reports.push_back(std::move(*report));
  return reports;
}

std::vector<const FindingPart*> parts_of(const TextReport& report, BlockKind kind) {
  std::vector<const FindingPart*> found;
  for (const FindingPart& part : report.parts) {
    if (part.kind == kind) found.push_back(&part);
  }
  return found;
}

TEST(ReportText, OtherText_NoReport) {
  EXPECT_TRUE(reports_in("").empty());
  EXPECT_TRUE(reports_in("done\nThreadSanitizer: reported 1 warnings\n").empty());
  EXPECT_TRUE(reports_in("FATAL: ThreadSanitizer: unexpected memory mapping\n").empty());
  EXPECT_TRUE(reports_in("==================\n  Read of size 4 at 0x1 by thread T1:\n").empty());
  EXPECT_TRUE(reports_in("WARNING: ThreadSanitizer: data race\n#0 f g:1 (h+0x1)\n").empty());
}

TEST(ReportText, Race_Parsed) {
  const auto reports = reports_in(kRace);
  ASSERT_EQ(reports.size(), 1u);
  const TextReport& report = reports[0];
  EXPECT_EQ(report.pid, 8162);
  EXPECT_EQ(report.parts[0].kind, BlockKind::kReport);
  EXPECT_EQ(report.parts[0].text, "data-race");

  const auto accesses = parts_of(report, BlockKind::kAccess);
  ASSERT_EQ(accesses.size(), 2u);
  EXPECT_EQ(accesses[0]->thread, 1);
  EXPECT_EQ(accesses[0]->size, 4u);
  EXPECT_EQ(accesses[0]->address, 0x5555585b7aacu);
  EXPECT_EQ(accesses[0]->flags, 0u);
  ASSERT_EQ(accesses[0]->told.size(), 2u);
  const Frame& inner = accesses[0]->told[0];
  EXPECT_EQ(inner.function, "increment");
  EXPECT_EQ(inner.file, "/src/my races/races.cc");
  EXPECT_EQ(inner.line, 40);
  EXPECT_EQ(inner.module, "races");
  EXPECT_EQ(inner.offset, 0xc0469u);
  EXPECT_EQ(accesses[0]->told[1].function, "");
  EXPECT_EQ(accesses[0]->told[1].module, "libstdc++.so.6");
  EXPECT_EQ(accesses[1]->thread, 0);
  EXPECT_EQ(accesses[1]->flags, contract::kWrite | contract::kAtomic);
  EXPECT_EQ(accesses[1]->told[0].function, "void f<int, g(int)::<lambda()> >(h&&)");
  EXPECT_EQ(accesses[1]->told[0].file, "../races.cc");

  ASSERT_EQ(parts_of(report, BlockKind::kSleep).size(), 1u);
  EXPECT_EQ(parts_of(report, BlockKind::kSleep)[0]->told[0].function, "usleep");
  const auto locations = parts_of(report, BlockKind::kLocation);
  ASSERT_EQ(locations.size(), 1u);
  EXPECT_EQ(locations[0]->text, "global");
  EXPECT_EQ(locations[0]->name, "(anonymous namespace)::counter");
  EXPECT_EQ(locations[0]->size, 4u);
  const auto mutexes = parts_of(report, BlockKind::kMutex);
  ASSERT_EQ(mutexes.size(), 1u);
  EXPECT_EQ(mutexes[0]->number, 10);
  EXPECT_EQ(mutexes[0]->address, 0x5555585b9a00u);

  const auto threads = parts_of(report, BlockKind::kThread);
  ASSERT_EQ(threads.size(), 3u);
  EXPECT_EQ(threads[0]->text, "a racer");
  EXPECT_EQ(threads[0]->number, 8165);
  EXPECT_EQ(threads[0]->parent, 2);
  EXPECT_EQ(threads[0]->flags, contract::kRunning);
  EXPECT_EQ(threads[1]->text, "");
  EXPECT_EQ(threads[1]->parent, -1);
  EXPECT_EQ(threads[1]->flags, 0u);
  EXPECT_EQ(threads[2]->thread, 0) << "the main thread";
  EXPECT_EQ(threads[2]->number, 8162);
}

TEST(ReportText, LockOrder_Parsed) {
  const auto reports = reports_in(kOrder);
  ASSERT_EQ(reports.size(), 1u);
  const TextReport& report = reports[0];
  EXPECT_EQ(report.parts[0].text, "lock-order-inversion");
  const auto mutexes = parts_of(report, BlockKind::kMutex);
  ASSERT_EQ(mutexes.size(), 2u);
  EXPECT_EQ(mutexes[0]->address, 0x555556a4f6a0u);
  EXPECT_EQ(mutexes[1]->number, 1);
  const auto stacks = parts_of(report, BlockKind::kStack);
  ASSERT_EQ(stacks.size(), 3u);
  ASSERT_EQ(stacks[0]->told.size(), 2u);
  EXPECT_EQ(stacks[0]->told[1].function, "(anonymous namespace)::take_both(pthread_mutex_t*, int)");
  EXPECT_EQ(stacks[0]->told[1].line, 66) << "not the column";
  EXPECT_EQ(stacks[0]->told[1].offset, 0xd4d83u);
  const auto used = parts_of(report, BlockKind::kThreadUsed);
  ASSERT_EQ(used.size(), 2u);
  EXPECT_EQ(used[0]->thread, 1);
  EXPECT_EQ(used[1]->thread, 0);
}

TEST(ReportText, OtherKinds_Parsed) {
  const auto kind_of = [](std::string words) {
    const auto reports = reports_in("WARNING: ThreadSanitizer: " + words +
                                    " (pid=1)\n    #0 f g:1 (h+0x1)\n==================\n");
    return reports.size() == 1 && reports[0].parts.size() == 2 ? reports[0].parts[0].text : "?";
  };
  EXPECT_EQ(kind_of("thread leak"), "thread-leak");
  EXPECT_EQ(kind_of("heap-use-after-free"), "heap-use-after-free");
  EXPECT_EQ(kind_of("data race on vptr (ctor/dtor vs virtual call)"), "data-race-vptr");
  EXPECT_EQ(kind_of("signal-unsafe call inside of a signal"), "signal-unsafe-call");
  EXPECT_EQ(kind_of("signal handler spoils errno"), "errno-in-signal-handler");
  EXPECT_EQ(kind_of("destroy of a locked mutex"), "locked-mutex-destroy");
  EXPECT_EQ(kind_of("unlock of an unlocked mutex (or by a wrong thread)"), "mutex-bad-unlock");
  EXPECT_EQ(kind_of("something new"), "something-new");
}

TEST(ReportText, Locations_Parsed) {
  const auto location = [](std::string line) {
    const auto reports = reports_in("WARNING: ThreadSanitizer: data race (pid=1)\n  " + line +
                                    "\n    #0 malloc <null> (h+0x1)\n==================\n");
    const auto found = parts_of(reports.at(0), BlockKind::kLocation);
    return found.size() == 1 ? *found[0] : FindingPart{};
  };
  const FindingPart heap =
      location("Location is heap block of size 40 at 0x7b0c00000000 allocated by thread T7:");
  EXPECT_EQ(heap.text, "heap");
  EXPECT_EQ(heap.size, 40u);
  EXPECT_EQ(heap.start, 0x7b0c00000000u);
  EXPECT_EQ(heap.thread, 7);
  EXPECT_EQ(heap.told.size(), 1u);
  EXPECT_EQ(location("Location is global 'table' at 0x10 (h+0x2)").name, "table");
  EXPECT_EQ(location("Location is global '<null>' at 0x000000000000 ([stack]+0x2)").text, "");
  EXPECT_EQ(location("Location is stack of main thread.").text, "stack");
  EXPECT_EQ(location("Location is TLS of thread T3.").thread, 3);
  const FindingPart descriptor =
      location("Location is file descriptor 4 created by main thread at:");
  EXPECT_EQ(descriptor.text, "fd");
  EXPECT_EQ(descriptor.number, 4);
}

TEST(ReportText, Colors_Removed) {
  const auto reports = reports_in(
      "\x1b[1m\x1b[31mWARNING: ThreadSanitizer: data race (pid=3)\n\x1b[1m\x1b[0m\x1b[1m\x1b[34m"
      "  Write of size 4 at 0x10 by thread T1:\n\x1b[1m\x1b[0m    #0 f g:1 (h+0x1)\n"
      "==================\n");
  ASSERT_EQ(reports.size(), 1u);
  const auto accesses = parts_of(reports[0], BlockKind::kAccess);
  ASSERT_EQ(accesses.size(), 1u);
  EXPECT_EQ(accesses[0]->told.size(), 1u);
}

TEST(ReportText, SplitInput_Joined) {
  const std::string text = std::string(kRace) + std::string(kOrder);
  ReportText reader;
  std::vector<size_t> ends;
  for (size_t i = 0; i < text.size(); ++i) {
    reader.add(std::string_view(text).substr(i, 1));
    while (reader.next()) ends.push_back(i + 1);
  }
  EXPECT_EQ(ends, (std::vector<size_t>{kRace.size(), text.size()})) << "as soon as they are whole";
}

TEST(ReportText, CutShort_PartKept) {
  const auto reports = reports_in(kRace.substr(0, kRace.find("  As if")));
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(parts_of(reports[0], BlockKind::kAccess).size(), 2u);
}

TEST(ReportText, AnyDamage_NoCrash) {
  for (const std::string_view text : {kRace, kOrder}) {
    for (size_t i = 0; i < text.size(); ++i) {
      reports_in(text.substr(i));
      std::string damaged(text);
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
      reports_in(damaged);
      damaged[i] = '\0';
      reports_in(damaged);
    }
  }
}

TEST(ReportText, HugeInput_Bounded) {
  std::string text = "WARNING: ThreadSanitizer: data race (pid=1)\n";
  for (int i = 0; i < 5000; ++i) text += "  Read of size 4 at 0x1 by thread T1:\n";
  for (int i = 0; i < 5000; ++i) text += "    #0 f g:1 (h+0x1)\n";
  text += "    #0 " + std::string(100000, 'f') + " g:1 (h+0x1)\n==================\n";
  const auto reports = reports_in(text);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_LE(reports[0].parts.size(), 256u);
  EXPECT_LE(reports[0].parts.back().told.size(), 1024u);
}

TEST(LogPath, SeveralOptions_LastWins) {
  EXPECT_EQ(log_path_in(""), "");
  EXPECT_EQ(log_path_in("halt_on_error=1"), "");
  EXPECT_EQ(log_path_in("log_path=/tmp/a"), "/tmp/a");
  EXPECT_EQ(log_path_in("halt_on_error=1:log_path=/tmp/a,exitcode=0"), "/tmp/a");
  EXPECT_EQ(log_path_in("log_path='/tmp/a b:c' verbosity=1"), "/tmp/a b:c");
  EXPECT_EQ(log_path_in("log_path=\"/tmp/a\":log_path=/tmp/b"), "/tmp/b");
  EXPECT_EQ(log_path_in("log_path=stderr"), "");
  EXPECT_EQ(log_path_in("log_path='unended"), "unended");
  EXPECT_EQ(log_path_in("log_path"), "");
}

class ReportLogsTest : public ::testing::Test {
 protected:
  ReportLogsTest() {
    std::string name = ::testing::TempDir() + "report-logs-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~ReportLogsTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name, std::ios::app) << text;
  }

  std::filesystem::path folder_;
};

TEST_F(ReportLogsTest, OldText_Ignored) {
  write("log.1", kRace);
  ReportLogs logs(folder_ / "log", -1);
  EXPECT_TRUE(logs.look().empty());
  write("log.1", kOrder);
  write("log.program.23", kRace);
  write("log.txt", kRace);
  write("other.5", kRace);
  EXPECT_EQ(logs.look().size(), 2u);
  EXPECT_TRUE(logs.look().empty());
  write("log.7", kRace.substr(0, 400));
  EXPECT_TRUE(logs.look().empty());
  EXPECT_EQ(logs.finish().size(), 1u);
}

TEST_F(ReportLogsTest, AllText_Forwarded) {
  const std::filesystem::path target = folder_ / "passed on";
  FILE* const file = fopen(target.c_str(), "w");
  ASSERT_NE(file, nullptr);
  ReportLogs logs(folder_ / "log", fileno(file));
  write("log.1", kRace);
  write("log.1", "FATAL: something else\nand no end");
  logs.finish();
  fclose(file);
  std::ifstream read(target);
  const std::string passed{std::istreambuf_iterator<char>(read), {}};
  EXPECT_EQ(passed, std::string(kRace) + "FATAL: something else\nand no end");
}

TEST_F(ReportLogsTest, MissingFolder_Nothing) {
  ReportLogs logs(folder_ / "none" / "log", -1);
  EXPECT_TRUE(logs.finish().empty());
}

}  // namespace
}  // namespace tailback
