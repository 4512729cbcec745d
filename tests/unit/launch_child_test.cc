// The command as a child of the launcher, and the observer beside it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "runtime/launch/child.h"
#include "runtime/launch/launch_error.h"
#include "runtime/launch/observer_process.h"
#include "runtime/launch/outcome.h"
#include "runtime/launch/signals.h"

namespace tailback {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

bool eventually(const std::function<bool()>& condition) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

std::string read_file(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

class ChildTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "child.XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string file(const std::string& name) const { return directory_ + "/" + name; }

  static ChildSettings shell(const std::string& script) {
    return {"/bin/sh", {"sh", "-c", script}, {"PATH=/usr/bin:/bin"}};
  }

  // What the launcher does, without an observer.
  [[noreturn]] static void launch(const ChildSettings& settings) {
    try {
      const SignalScope signals;
      Child child(settings, signals);
      child.execute();
      end_as(child.wait());
    } catch (const LaunchError& error) {
      _exit(error.exit_status());
    }
  }

  // A launcher in a process group of its own.
  static pid_t start(const ChildSettings& settings) {
    const pid_t pid = fork();
    if (pid == 0) {
      setpgid(0, 0);
      launch(settings);
    }
    setpgid(pid, pid);
    return pid;
  }

  static int status_of(pid_t pid, int options = 0) {
    int status = -1;
    EXPECT_EQ(waitpid(pid, &status, options), pid);
    return status;
  }

  // A shell script that says when it is ready.
  std::string ready() const { return "echo > " + file("ready") + "; "; }
  bool wait_until_ready() const {
    return eventually([this] { return fs::exists(file("ready")); });
  }

  std::string directory_;
};

// Some time in which what must not happen could happen.
constexpr char kLoop[] = "i=0; while [ $i -lt 10 ]; do sleep 0.05; i=$((i+1)); done; ";

TEST_F(ChildTest, CommandExits_SameStatus) {
  for (const int expected : {0, 1, 7, 125, 255}) {
    const int status = status_of(start(shell("exit " + std::to_string(expected))));
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), expected);
  }
}

TEST_F(ChildTest, CommandKilled_SameSignalNoCore) {
  for (const int expected : {SIGTERM, SIGKILL, SIGSEGV, SIGABRT, SIGINT, SIGPIPE}) {
    const int status = status_of(start(shell("kill -" + std::to_string(expected) + " $$")));
    ASSERT_TRUE(WIFSIGNALED(status)) << expected;
    EXPECT_EQ(WTERMSIG(status), expected);
    EXPECT_FALSE(WCOREDUMP(status));
  }
}

TEST_F(ChildTest, ExecFails_ReasonReported) {
  const SignalScope signals;
  const auto status = [&](const std::string& path) {
    try {
      Child child({path, {path}, {}}, signals);
      child.execute();
      child.wait();
      return 0;
    } catch (const LaunchError& error) {
      return error.exit_status();
    }
  };
  EXPECT_EQ(status("/bin/true"), 0);
  EXPECT_EQ(status(file("missing")), 127);
  EXPECT_EQ(status(directory_), 126);
  std::ofstream(file("plain")) << "exit 0\n";
  EXPECT_EQ(status(file("plain")), 126);
}

TEST_F(ChildTest, ScriptWithoutShebang_RunByShell) {
  std::ofstream(file("script")) << "exit $(($# + 40))\n";
  fs::permissions(file("script"), fs::perms::owner_all);
  const int status = status_of(start({file("script"), {"script", "a", "b"}, {}}));
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST_F(ChildTest, NotExecuted_NoTrace) {
  const SignalScope signals;
  pid_t pid = 0;
  {
    const Child child(shell("echo > " + file("ran")), signals);
    pid = child.pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_FALSE(fs::exists(file("ran")));
}

TEST_F(ChildTest, Command_InheritsNoDescriptor) {
  constexpr int kMost = 300;
  std::string inherited;
  for (int fd = 0; fd < kMost; ++fd) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) inherited += " " + std::to_string(fd);
  }
  const SignalScope signals;
  ObserverProcess observer([](ObserverLink& link) { link.ready(""); }, false, signals);
  const std::string ask = "i=0; while [ $i -lt " + std::to_string(kMost) +
                          " ]; do [ ! -e /proc/$$/fd/$i ] || list=\"$list $i\"; i=$((i+1)); done; ";
  Child child(shell(ask + "printf '%s' \"$list\" > " + file("list")), signals);
  child.execute();
  child.wait();
  EXPECT_EQ(read_file(file("list")), inherited);
}

TEST_F(ChildTest, Command_InheritsSignalState) {
  const pid_t pid = fork();
  if (pid == 0) {
    signal(SIGHUP, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    sigprocmask(SIG_SETMASK, &blocked, nullptr);
    dup2(open(file("signals").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600), STDOUT_FILENO);
    launch({"/bin/grep", {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}, {}});
  }
  EXPECT_EQ(status_of(pid), 0);
  const std::string signals = read_file(file("signals"));
  EXPECT_NE(signals.find("SigBlk:\t0000000000000800"), std::string::npos) << signals;
  EXPECT_NE(signals.find("SigIgn:\t0000000000010001"), std::string::npos) << signals;
}

TEST_F(ChildTest, SignalToLauncher_Forwarded) {
  for (const int sent : {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH}) {
    fs::remove(file("ready"));
    const std::string number = std::to_string(sent);
    const pid_t pid = start(shell("trap 'exit 9' " + number + "; " + ready() + kLoop + "exit 1"));
    ASSERT_TRUE(wait_until_ready());
    kill(pid, sent);
    EXPECT_EQ(WEXITSTATUS(status_of(pid)), 9) << sent;
  }
}

TEST_F(ChildTest, OwnSignals_NotForwarded) {
  const pid_t pid = start(shell("kill -USR1 $PPID; kill -TERM $PPID; sleep 0.2; exit 3"));
  EXPECT_EQ(WEXITSTATUS(status_of(pid)), 3);
}

TEST_F(ChildTest, CommandStops_LauncherStops) {
  for (const char* name : {"TSTP", "TTIN", "TTOU"}) {
    const pid_t pid = start(shell(std::string("kill -") + name + " $$; exit 5"));
    EXPECT_TRUE(WIFSTOPPED(status_of(pid, WUNTRACED))) << name;
    kill(pid, SIGCONT);  // to the launcher alone
    EXPECT_EQ(WEXITSTATUS(status_of(pid)), 5) << name;
  }
}

TEST_F(ChildTest, StopWithoutJobControl_LauncherRuns) {
  const pid_t pid = start(shell("echo $$ > " + file("pid") + "; kill -STOP $$; exit 6"));
  pid_t command = 0;
  ASSERT_TRUE(eventually([&] {
    command = static_cast<pid_t>(std::atoi(read_file(file("pid")).c_str()));
    return command > 0 && read_file("/proc/" + std::to_string(command) + "/stat").find(") T ") !=
                              std::string::npos;
  }));
  std::this_thread::sleep_for(50ms);
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
  kill(command, SIGCONT);
  EXPECT_EQ(WEXITSTATUS(status_of(pid)), 6);
}

TEST_F(ChildTest, TerminalSignal_DeliveredOnce) {
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (pid == 0) {
    launch(shell("n=0; trap 'n=$((n+1))' INT QUIT; " + ready() + kLoop + "exit $((n+20))"));
  }
  ASSERT_TRUE(wait_until_ready());
  ASSERT_EQ(write(terminal, "\x03", 1), 1);
  std::this_thread::sleep_for(100ms);
  ASSERT_EQ(write(terminal, "\x1c", 1), 1);
  EXPECT_EQ(WEXITSTATUS(status_of(pid)), 22);
  close(terminal);
}

class ObserverProcessTest : public ChildTest {
 protected:
  const SignalScope signals_;
};

TEST_F(ObserverProcessTest, TargetEnds_Learned) {
  ObserverProcess observer(
      [this](ObserverLink& link) {
        link.ready("/the/session");
        std::ofstream report(file("report"));
        report << link.first_target().value_or(-1) << ' ';
        link.watching();
        const auto end = link.command_end();
        report << (end && end->exit_status == 3 && !end->signal);
        link.done(12);
      },
      false, signals_);
  EXPECT_EQ(observer.session(), "/the/session");
  observer.begin(4711);
  EXPECT_EQ(observer.failures(), std::nullopt);
  EXPECT_EQ(observer.finish({3, {}}), ObserverProcess::End::kDone);
  EXPECT_EQ(observer.failures(), 12u);
  EXPECT_EQ(read_file(file("report")), "4711 1");
}

TEST_F(ObserverProcessTest, Refusal_WholeText) {
  try {
    ObserverProcess([](ObserverLink&) { throw LaunchError(125, "no: because"); }, false, signals_);
    FAIL();
  } catch (const LaunchError& error) {
    EXPECT_EQ(error.exit_status(), 125);
    EXPECT_STREQ(error.what(), "no: because");
  }
  ObserverProcess late(
      [](ObserverLink& link) {
        link.ready("");
        link.first_target();
        throw std::runtime_error("too late");
      },
      false, signals_);
  EXPECT_THROW(late.begin(1), LaunchError);
  EXPECT_THROW(ObserverProcess([](ObserverLink&) { raise(SIGKILL); }, false, signals_),
               LaunchError);
}

TEST_F(ObserverProcessTest, ObserverDone_LauncherReleased) {
  ObserverProcess observer(
      [this](ObserverLink& link) {
        link.ready("");
        link.first_target();
        link.watching();
        link.command_end();
        link.let_go(2);
        eventually([this] { return fs::exists(file("daemon-ended")); });
        std::ofstream(file("reported")) << "1";
      },
      false, signals_);
  observer.begin(1);
  EXPECT_EQ(observer.finish({0, {}}), ObserverProcess::End::kLetGo);
  EXPECT_EQ(observer.failures(), 2u);
  EXPECT_FALSE(fs::exists(file("reported")));
  std::ofstream(file("daemon-ended")) << "1";
  EXPECT_EQ(WEXITSTATUS(status_of(observer.pid())), 0);
  EXPECT_TRUE(fs::exists(file("reported")));
}

TEST_F(ObserverProcessTest, ObserverDies_NoticedAtEnd) {
  ObserverProcess observer(
      [](ObserverLink& link) {
        link.ready("");
        link.first_target();
        link.watching();
        raise(SIGKILL);
      },
      false, signals_);
  observer.begin(1);
  EXPECT_EQ(observer.finish({0, {}}), ObserverProcess::End::kFailed);
  EXPECT_EQ(observer.failures(), std::nullopt);
}

TEST_F(ObserverProcessTest, LauncherGone_Learned) {
  pid_t pid = -1;
  {
    ObserverProcess observer(
        [](ObserverLink& link) {
          link.ready("");
          link.first_target();
          link.watching();
          std::_Exit(link.command_end() ? 1 : 44);
        },
        false, signals_);
    observer.begin(1);
    pid = observer.pid();
  }
  EXPECT_EQ(WEXITSTATUS(status_of(pid)), 44);
}

TEST_F(ObserverProcessTest, CommandSignals_ObserverSurvives) {
  const int meant_for_the_command = open("/dev/null", O_RDONLY);
  ObserverProcess observer(
      [this](ObserverLink& link) {
        for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP}) raise(signal);
        std::ofstream report(file("report"));
        for (int fd = 0; fd < 100; ++fd) {
          if (fcntl(fd, F_GETFD) >= 0) report << fd << ' ';
        }
        report << (getsid(0) == getpid()) << fs::read_symlink("/proc/self/fd/0").string()
               << fs::read_symlink("/proc/self/fd/1").string();
        report.close();
        link.ready("");
      },
      false, signals_);
  close(meant_for_the_command);
  // 3: the link; 4: the report itself.
  EXPECT_EQ(read_file(file("report")), "0 1 2 3 4 1/dev/null/dev/null");
}

}  // namespace
}  // namespace tailback
