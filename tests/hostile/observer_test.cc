// The observer killed or stopped at any moment, or without room for what it has to tell: the
// program goes on as if it had never been there, and what can be told is.
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <thread>

#include "tests/hostile/three_ways.h"
#include "tests/integration/harness/eventually.h"
#include "tests/integration/harness/programs.h"

namespace tailback::test {
namespace {

class LostObserver : public ThreeWays {
 protected:
  // The observer of a run, from the first line of its recording.
  pid_t observer_of(Way way) {
    pid_t observer = 0;
    EXPECT_TRUE(eventually(std::chrono::seconds(20), [&] {
      const Recording recording = Recording::read(file(way, "jsonl"));
      if (!recording.lines().empty()) observer = recording.session().value("observer_pid", 0);
      return observer > 0;
    }));
    return observer;
  }
  bool begun(Way way) {
    return eventually(std::chrono::seconds(20), [&] {
      return file_text(file(way, "out")).find("begun\n") != std::string::npos;
    });
  }
};

Subject ticking(const std::string& iterations, const std::string& microseconds) {
  Subject subject;
  subject.program = "ticking_loop";
  subject.arguments = {iterations, microseconds};
  subject.ending = exited(20);
  subject.threshold = "1ms";
  return subject;
}

// A recording that was cut off: no end is asked of it, but it must be readable.
void expect_readable(const std::filesystem::path& path) {
  const Recording recording = Recording::read(path);
  for (const std::string& fault : recording.faults()) ADD_FAILURE() << path << ": " << fault;
}

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST_F(LostObserver, KilledAtAnyMoment_ProgramContinues) {
  std::mt19937 random(20240229);
  for (int round = 0; round < 8; ++round) {
    const Way way = round % 2 ? Way::kPreloaded : Way::kLaunched;
    const auto delay = std::chrono::milliseconds(random() % 250);
    SCOPED_TRACE("killed " + std::to_string(delay.count()) + " ms after the start");
    const Subject subject = ticking("120", "3000");
    Process process = start(subject, way);
    const pid_t observer = observer_of(way);
    ASSERT_GT(observer, 1);
    std::this_thread::sleep_for(delay);
    EXPECT_EQ(kill(observer, SIGKILL), 0);
    EXPECT_EQ(process.wait(subject.patience), subject.ending) << way;
    EXPECT_EQ(file_text(file(way, "out")), "begun\nall in order: yes\ndone\n") << way;
    expect_readable(file(way, "jsonl"));
  }
}

// Programs that start others, threads and processes, while it dies and after.
TEST_F(LostObserver, KilledUnderLoad_ProgramContinues) {
  const std::vector<std::vector<std::string>> crowds = {
      {"child_tree"}, {"thread_crowd", "1000"}, {"vfork_children"}, {"held_spinner", "3"}};
  for (const auto& crowd : crowds) {
    Subject subject;
    subject.program = crowd[0];
    subject.arguments.assign(crowd.begin() + 1, crowd.end());
    const std::string alone = run(subject, Way::kAlone).output;
    for (const Way way : {Way::kLaunched, Way::kPreloaded}) {
      for (const int delay : {0, 40}) {
        SCOPED_TRACE(crowd[0] + ", killed after " + std::to_string(delay) + " ms");
        Process process = start(subject, way);
        const pid_t observer = observer_of(way);
        ASSERT_GT(observer, 1);
        std::this_thread::sleep_for(std::chrono::milliseconds(delay));
        kill(observer, SIGKILL);  // it may have come to its end already
        EXPECT_EQ(process.wait(subject.patience), subject.ending) << way;
        EXPECT_EQ(file_text(file(way, "out")), alone) << way;
        // The launcher may say that it has lost its observer; the program's own errors are none.
        const std::string errors = file_text(file(way, "err"));
        EXPECT_TRUE(errors.empty() || (way == Way::kLaunched && count_of(errors, "\n") == 1 &&
                                       errors.find("tailback: the observer ended") == 0))
            << way << ": " << errors;
      }
    }
  }
}

TEST_F(LostObserver, StoppedThenContinued_ProgramContinues) {
  for (const Way way : {Way::kLaunched, Way::kPreloaded}) {
    SCOPED_TRACE(way == Way::kLaunched ? "launched" : "preloaded");
    // More long iterations than the ring has places for.
    Subject subject = ticking("1500", "1500");
    subject.keeps_losses = true;
    Process process = start(subject, way);
    const pid_t observer = observer_of(way);
    ASSERT_GT(observer, 1);
    ASSERT_TRUE(begun(way));
    ASSERT_EQ(kill(observer, SIGSTOP), 0);
    // The launcher waits for its observer, so the program's own end is what is waited for.
    EXPECT_TRUE(eventually(subject.patience, [&] {
      return file_text(file(way, "out")) == "begun\nall in order: yes\ndone\n";
    }));
    ASSERT_EQ(kill(observer, SIGCONT), 0);
    const Seen run = seen(subject, way, process);
    ASSERT_TRUE(run.recording.complete());
    EXPECT_GT(run.recording.end()["losses"].value("events", 0), 100) << run.recording.end();
  }
}

// What the recording is written to has no room, or can't be written at all.
class PoorOutput : public ThreeWays {
 protected:
  // Runs the ticking loop with a recording elsewhere; gives what was said on standard error once
  // `drain_at_exit` are there.
  std::string errors_of(Way way, const std::string& json, const Ending& ending,
                        const std::string& drain_at_exit) {
    Subject subject = ticking("60", "3000");
    std::filesystem::create_directories(work_directory(way));
    for (const char* old : {"out", "err"}) std::filesystem::remove(file(way, old));
    ProcessOptions options;
    options.directory = work_directory(way);
    options.output = file(way, "out");
    options.errors = file(way, "err");
    const std::string program = hostile_program(subject.program);
    if (way == Way::kLaunched) {
      options.command = {tailback_binary(), "run",    "--quiet", "--threshold",
                         subject.threshold, "--json", json,      "--",
                         program,           "60",     "3000"};
    } else {
      options.command = {program, "60", "3000"};
      options.environment = {{"LD_PRELOAD", recorder_library()},
                             {"TAILBACK_THRESHOLD", subject.threshold},
                             {"TAILBACK_JSON", json},
                             {"TAILBACK_QUIET", "1"}};
    }
    Process process(options);
    EXPECT_EQ(process.wait(subject.patience), ending) << way;
    EXPECT_TRUE(eventually(
        std::chrono::seconds(20),
        [&] { return file_text(file(way, "err")).find(drain_at_exit) != std::string::npos; }))
        << way << ": " << file_text(file(way, "err"));
    return file_text(file(way, "err"));
  }
  void expect_unharmed(Way way) {
    EXPECT_EQ(file_text(file(way, "out")), "begun\nall in order: yes\ndone\n") << way;
  }
};

TEST_F(PoorOutput, FullDevice_SaidAndCounted) {
  for (const Way way : {Way::kLaunched, Way::kPreloaded}) {
    const std::string errors =
        errors_of(way, "/dev/full", exited(20), "could not be written to /dev/full");
    expect_unharmed(way);
    // Said once when it is found out, and counted once at the end.
    EXPECT_EQ(count_of(errors, "\n"), 2u) << errors;
    EXPECT_EQ(count_of(errors, "No space left on device"), 2u) << errors;
  }
}

// A disk with room for the beginning.
TEST_F(PoorOutput, SmallDisk_SaidAndCounted) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to mount a small disk";
  const auto disk = work_directory(Way::kAlone);
  std::filesystem::create_directories(disk);
  for (const Way way : {Way::kLaunched, Way::kPreloaded}) {
    if (mount("tailback-test", disk.c_str(), "tmpfs", 0, "size=16k") != 0) {
      GTEST_SKIP() << "may not mount";
    }
    const std::string json = disk / "small.jsonl";
    const std::string errors = errors_of(way, json, exited(20), "could not be written to");
    expect_unharmed(way);
    EXPECT_EQ(count_of(errors, "\n"), 2u) << errors;
    // What there was room for is whole lines, but for the last.
    const Recording recording = Recording::read(json);
    ASSERT_GE(recording.lines().size(), 2u);
    EXPECT_EQ(recording.session()["type"], "session");
    EXPECT_FALSE(recording.complete());
    for (const std::string& fault : recording.faults()) ADD_FAILURE() << fault;
    EXPECT_EQ(umount2(disk.c_str(), MNT_DETACH), 0);
  }
}

// The launcher refuses before it starts anything; a program that is running already goes on.
TEST_F(PoorOutput, UnwritableDirectory_Said) {
  for (const char* json : {"/sys/tailback-test.jsonl", "/nowhere/at/all.jsonl"}) {
    const std::string complaint = "tailback: can't write the report to '" + std::string(json) + "'";
    const std::string launched = errors_of(Way::kLaunched, json, exited(125), complaint);
    EXPECT_EQ(count_of(launched, "\n"), 1u) << launched;
    EXPECT_EQ(file_text(file(Way::kLaunched, "out")), "");
    const std::string preloaded = errors_of(Way::kPreloaded, json, exited(20), complaint);
    EXPECT_EQ(count_of(preloaded, "\n"), 1u) << preloaded;
    expect_unharmed(Way::kPreloaded);
  }
}

class FullSegment : public ThreeWays {
 protected:
  void compare_counting(const Subject& subject, const char* loss) {
    const std::string alone = run(subject, Way::kAlone).output;
    for (const Way way : {Way::kLaunched, Way::kPreloaded}) {
      const Seen watched = run(subject, way);
      EXPECT_EQ(watched.output, alone) << way;
      EXPECT_EQ(watched.errors, "") << way;
      ASSERT_TRUE(watched.recording.complete()) << way;
      EXPECT_GT(watched.recording.end()["losses"].value(loss, 0), 0) << watched.recording.end();
    }
  }
};

bool may_have_tasks(rlim_t count) {
  rlimit limit;
  return getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur > count;
}

TEST_F(FullSegment, MoreProcessesThanRecords_Counted) {
  constexpr int kCount = 4300;  // a segment has 4,096
  if (!may_have_tasks(kCount)) GTEST_SKIP() << "needs more processes than its limit allows";
  Subject crowd;
  crowd.program = "process_crowd";
  crowd.arguments = {std::to_string(kCount)};
  crowd.keeps_losses = true;
  crowd.stalls = 1;
  compare_counting(crowd, "processes");
}

TEST_F(FullSegment, MoreThreadsThanRecords_Counted) {
  constexpr int kCount = 16600;  // a segment has 16,384
  if (!long_tests()) GTEST_SKIP() << "so many threads take their time: TAILBACK_TEST_LONG=1";
  if (!may_have_tasks(kCount)) GTEST_SKIP() << "needs more threads than its limit allows";
  Subject crowd;
  crowd.program = "thread_crowd";
  crowd.arguments = {std::to_string(kCount)};
  crowd.keeps_losses = true;
  crowd.patience = std::chrono::seconds(120);
  compare_counting(crowd, "threads");
}

}  // namespace
}  // namespace tailback::test
