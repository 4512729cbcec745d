// Hostile programs: what they print, on both streams, and how they end is the same watched and not.
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "tests/hostile/three_ways.h"
#include "tests/integration/harness/programs.h"

namespace tailback::test {
namespace {

bool is_root() {
  return geteuid() == 0;
}

bool can_unshare() {
  const pid_t child = fork();
  if (child == 0) _exit(unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0 ? 0 : 1);
  int status = 1;
  return waitpid(child, &status, 0) == child && status == 0;
}

bool has_boost() {
  return std::filesystem::exists(hostile_program("boost_fibers"));
}

bool can_raise_limits() {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit low{1, 1};
    const rlimit high{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &low);
    _exit(setrlimit(RLIMIT_FSIZE, &high) == 0 ? 0 : 1);
  }
  int status = 1;
  return waitpid(child, &status, 0) == child && status == 0;
}

struct Needs {
  bool (*met)() = nullptr;
  const char* reason = "";
};
constexpr Needs kNothing;
constexpr Needs kRoot{is_root, "needs root"};
constexpr Needs kBoost{has_boost, "needs libboost-context-dev when it is built"};
constexpr Needs kNamespaces{can_unshare, "needs user and process namespaces"};

struct Row {
  const char* name;
  Subject subject;
  Needs needs = kNothing;
};
std::ostream& operator<<(std::ostream& stream, const Row& row) {
  return stream << row.name;
}

Subject subject(std::string program, std::vector<std::string> arguments = {},
                Ending ending = exited(0), size_t stalls = 0) {
  Subject result;
  result.program = std::move(program);
  result.arguments = std::move(arguments);
  result.ending = ending;
  result.stalls = stalls;
  return result;
}

// What happens behind a wall that the observer can't look over counts as lost, and says so.
Subject behind_a_wall(Subject subject) {
  subject.keeps_losses = true;
  return subject;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {"Errno", subject("errno_kept", {}, exited(3))},
      {"Mutexes", subject("mutex_kinds")},
      {"Cancellation", subject("cancellation")},
      {"Jumps", subject("jumps", {}, exited(0), 2)},
      {"Exceptions", subject("exceptions")},
      {"UncaughtException", subject("exceptions", {"uncaught"}, killed(SIGABRT))},
      {"HandlersCall", subject("handlers_call", {}, exited(0), 3)},
      {"Interruptions", subject("interruptions", {}, exited(0), 5)},
      {"UrgentStorm", subject("urgent_storm")},
      {"BlockedSignals", subject("blocked_signals", {}, exited(0), 3)},
      {"SignalsWaited", subject("signals_waited", {}, exited(0), 8)},
      {"OwnUrgent", subject("own_urgent", {}, exited(0), 10)},
      {"Dispositions", subject("dispositions")},
      {"AlternateStack", subject("alternate_stack", {}, exited(0), 4)},
      {"SmallStacks", subject("small_stacks", {}, exited(0), 12)},
      {"Fibers", subject("fibers")},
      {"BoostFibers", subject("boost_fibers", {}, exited(0), 3), kBoost},
      {"Forks", subject("forks", {}, exited(0), 2)},
      {"Spawning", subject("spawning")},
      {"Descriptors", subject("descriptors", {}, exited(0), 4)},
      {"Daemon", subject("daemon", {}, exited(0), 4)},
      {"OtherRoot", behind_a_wall(subject("other_root", {}, exited(0), 2)), kRoot},
      {"OtherUser", behind_a_wall(subject("other_user", {}, exited(0), 2)), kRoot},
      {"Namespaces", behind_a_wall(subject("namespaces")), kNamespaces},
      {"SeccompStrict", subject("seccomp_strict", {}, exited(14))},
      {"SeccompStrictBySystemCall", subject("seccomp_strict", {"syscall"}, exited(14))},
      {"SeccompFilter", subject("seccomp_filter", {}, exited(0), 3)},
      {"SeccompFilterBySystemCall", subject("seccomp_filter", {"syscall"}, exited(0), 3)},
      {"PollFilter", subject("polled_filter", {"poll"}, exited(0), 2)},
      {"LatePollFilter", subject("polled_filter", {"poll", "late"}, exited(0), 2)},
      {"PpollFilter", subject("polled_filter", {"ppoll"}, exited(0), 2)},
      {"SelectFilter", subject("polled_filter", {"select"})},
      {"LateSelectFilter", subject("polled_filter", {"select", "late"})},
      {"OddPolls", subject("odd_polls")},
      {"LimitOfFiles", subject("limits", {"files"})},
      {"LimitOfMemory", subject("limits", {"memory"})},
      {"LimitOfFileSize", subject("limits", {"size"})},
      {"LimitOfProcesses", behind_a_wall(subject("limits", {"processes"})), kRoot},
      {"Environment", subject("environment")},
      {"Libraries", subject("libraries", {}, exited(0), 2)},
      {"LateLibrary", subject("late_library")},
      {"ThreadCrowd", subject("thread_crowd")},
      {"PassingThreads", subject("passing_threads")},
      {"ChildTree", subject("child_tree")},
      {"CancelledCalls", subject("cancelled_calls")},
      {"UnwoundCallbacks", subject("unwound_callbacks")},
      {"SuspendedWaits", subject("suspended_waits", {}, exited(0), 10)},
      {"HandledSignals", subject("handled_signals", {}, exited(0), 3)},
      {"Loading", subject("loading", {}, exited(0), 1)},
      {"VforkChildren", subject("vfork_children", {}, exited(0), 3)},
      {"RawClones", subject("raw_clones", {}, exited(0), 3)},
      {"SpawnActions", subject("spawn_actions", {}, exited(0), 3)},
      {"StdioStreams", subject("stdio_streams")},
      {"StdioStreamsFortified", subject("stdio_streams_fortified")},
      {"StdioWide", subject("stdio_wide")},
      {"StdioWideFortified", subject("stdio_wide_fortified")},
      {"StdioFailures", subject("stdio_failures")},
      {"Shells", subject("shells")},
      {"Directories", subject("directories")},
      {"FileNames", subject("file_names")},
      {"Controls", subject("controls")},
      {"Queues", subject("queues")},
      {"LockKinds", subject("lock_kinds")},
      {"OldVersions", subject("old_versions")},
      {"Fortified", subject("fortified", {}, killed(SIGABRT))},
      {"HeldSpinner", subject("held_spinner", {}, exited(0), 10)},
  };
  return kRows;
}

class HostilePrograms : public ThreeWays, public ::testing::WithParamInterface<Row> {};

TEST_P(HostilePrograms, Program_NoticesNothing) {
  const Row& row = GetParam();
  if (row.needs.met && !row.needs.met()) GTEST_SKIP() << row.needs.reason;
  compare(row.subject);
}

INSTANTIATE_TEST_SUITE_P(All, HostilePrograms, ::testing::ValuesIn(rows()),
                         [](const auto& test) { return std::string(test.param.name); });

class PausedPrograms : public ThreeWays {};

// The programs above would notice nothing of a recorder that does nothing either.
TEST_F(PausedPrograms, PausedThread_Sampled) {
  // The last of its five long iterations ends with the program, and may go unseen.
  const auto runs = compare(subject("alternate_stack", {}, exited(0), 4));
  for (const Seen& run : runs) {
    const auto stalls = run.recording.final_stalls();
    // On a busy machine some iterations are so short of CPU that no sample is taken in time.
    const auto sampled = std::count_if(stalls.begin(), stalls.end(), [](const Json& stall) {
      return !stall["call"].is_object() && stack_has_function(stall, "main");
    });
    EXPECT_GE(sampled, 1) << summary(stalls);
  }
}

class PoorStart : public ThreeWays {};

// Started by a shell that has closed the standard descriptors.
TEST_F(PoorStart, WithoutStandardStreams_Runs) {
  for (const char* closed : {"<&- >&- 2>&-", "<&- 2>&-", "2>&-", "<&-", ">&-"}) {
    Subject poor = subject("closed_standard", {}, exited(19), 1);
    poor.wrapper = {"/bin/sh", "-c", std::string("exec \"$0\" ") + closed};
    SCOPED_TRACE(closed);
    std::string alone;
    for (const Way way : {Way::kAlone, Way::kLaunched, Way::kPreloaded}) {
      Seen seen = run(poor, way);
      const std::string text = file_text(work_directory(way) / "closed_standard.txt") + seen.output;
      if (way == Way::kAlone) {
        alone = text;
        EXPECT_NE(alone.find("done\n"), std::string::npos);
      }
      EXPECT_EQ(text, alone) << way;
      EXPECT_EQ(seen.errors, "") << way;
    }
  }
}

// Tailback itself started so.
TEST_F(PoorStart, LauncherWithoutStandardStreams_Runs) {
  Subject poor = subject("closed_standard", {}, exited(19));
  std::string alone;
  for (const char* launcher : {"", "\"$TAILBACK\" run --quiet -- "}) {
    poor.environment = {{"TAILBACK", tailback_binary()}};
    poor.wrapper = {"/bin/sh", "-c", "exec " + std::string(launcher) + "\"$0\" <&- >&- 2>&-"};
    run(poor, Way::kAlone);
    const std::string text = file_text(work_directory(Way::kAlone) / "closed_standard.txt");
    if (alone.empty()) alone = text;
    EXPECT_NE(text.find("done\n"), std::string::npos);
    EXPECT_EQ(text, alone);
  }
}

// A limit on the size of files is the command's. The session's memory counts as a file; whoever may
// not have it is told so.
TEST_F(PoorStart, LauncherFileSizeLimit_Runs) {
  Subject poor = subject("alternate_stack");
  poor.environment = {{"TAILBACK", tailback_binary()}};
  const bool may_raise = can_raise_limits();
  poor.ending = may_raise ? exited(0) : exited(125);
  poor.wrapper = {"/bin/sh", "-c",
                  "ulimit -f 1; exec \"$TAILBACK\" run --quiet -- /bin/sh -c 'ulimit -f' \"$0\""};
  const Seen seen = run(poor, Way::kAlone);
  if (may_raise) {
    EXPECT_EQ(seen.output, "1\n");
    EXPECT_EQ(seen.errors, "");
  } else {
    EXPECT_NE(seen.errors.find("ulimit -f"), std::string::npos) << seen.errors;
  }
}

// Limits set before anything of ours runs: whether there is a recording then or not, the program
// is unharmed.
TEST_F(PoorStart, ResourceLimits_Runs) {
  for (const char* limit : {"ulimit -f 1", "ulimit -n 7", "ulimit -v 60000"}) {
    Subject poor = subject("alternate_stack");
    // Whatever else the test has inherited must not take the few descriptors that there are.
    poor.wrapper = {
        "/bin/sh", "-c",
        "exec 3>&- 4>&- 5>&- 6>&-; " + std::string(limit) + "; LD_PRELOAD=$OURS exec \"$0\""};
    const Seen alone = run(poor, Way::kAlone);
    poor.environment = {{"OURS", recorder_library()}, {"TAILBACK_QUIET", "1"}};
    const Seen preloaded = run(poor, Way::kAlone);
    EXPECT_EQ(preloaded.output, alone.output);
    EXPECT_EQ(preloaded.errors, alone.errors);
    EXPECT_NE(alone.output.find("done\n"), std::string::npos);
  }
}

class Preloads : public ThreeWays {};

TEST_F(Preloads, AuditLibrary_Works) {
  Subject audited = subject("audited", {}, exited(0), 3);
  audited.environment = {{"LD_AUDIT", hostile_library("auditing")}};
  for (const Seen& seen : compare(audited)) {
    EXPECT_NE(seen.output.find("getppid() = 4242"), std::string::npos);
  }
}

// An allocator with a lock, that calls what the recorder has wrapped from the loader's first
// moment on; before the recorder in the list, and after it.
TEST_F(Preloads, LockingAllocator_Works) {
  for (const bool ours_first : {true, false}) {
    SCOPED_TRACE(ours_first ? "after the recorder" : "before the recorder");
    Subject allocating = subject("allocating", {}, exited(0), 2);
    allocating.preloads = {hostile_library("locking_allocator")};
    allocating.ours_first = ours_first;
    compare(allocating);
  }
}

// Libraries of others, as Debian has them, before the recorder in the list and after it.
struct Other {
  const char* name;
  const char* library;
  std::vector<std::string> arguments;
};
std::ostream& operator<<(std::ostream& stream, const Other& other) {
  return stream << other.name;
}

class OtherPreloads : public ThreeWays, public ::testing::WithParamInterface<Other> {};

TEST_P(OtherPreloads, OtherPreload_KeepsWorking) {
  const Other& other = GetParam();
  const auto library = std::filesystem::path(TAILBACK_LIBRARY_DIRECTORY) / other.library;
  if (!std::filesystem::exists(library)) GTEST_SKIP() << library << " is absent";
  for (const bool ours_first : {true, false}) {
    SCOPED_TRACE(ours_first ? "after the recorder" : "before the recorder");
    Subject beside = subject("beside_preload", other.arguments, exited(0), 2);
    beside.preloads = {library};
    beside.ours_first = ours_first;
    beside.environment = {{"FAKETIME", "@2001-02-03 04:05:06"}};
    compare(beside);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, OtherPreloads,
    ::testing::Values(Other{"jemalloc", "libjemalloc.so.2", {"allocator", "mallctl"}},
                      Other{"tcmalloc", "libtcmalloc_minimal.so.4", {"allocator", "tc_malloc"}},
                      Other{"mimalloc", "libmimalloc.so.2", {"allocator", "mi_malloc"}},
                      Other{"eatmydata", "libeatmydata.so.1", {"eatmydata"}},
                      Other{"faketime", "faketime/libfaketime.so.1", {"faketime"}},
                      Other{"faketimeMT", "faketime/libfaketimeMT.so.1", {"faketime"}}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tailback::test
