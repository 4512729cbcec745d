#include "runtime/launch/child.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "runtime/launch/address_layout.h"
#include "runtime/launch/launch_error.h"
#include "runtime/launch/quoted_text.h"

namespace tailback {
namespace {

using Pipe = std::array<int, 2>;

Pipe make_pipe() {
  Pipe ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw LaunchError(kTailbackFailed, fmt::format("no pipe to the command: {}; raise the limit of "
                                                   "open files (ulimit -n)",
                                                   std::strerror(errno)));
  }
  return ends;
}

void close_and_forget(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

ssize_t read_retrying(int fd, void* to, size_t size) {
  ssize_t count = 0;
  do {
    count = read(fd, to, size);
  } while (count < 0 && errno == EINTR);
  return count;
}

}  // namespace

Child::Child(const ChildSettings& settings, const SignalScope& signals)
    : signals_(signals), name_(settings.path) {
  Pipe release = make_pipe();
  Pipe error = make_pipe();
  pid_ = fork();
  if (pid_ == 0) {
    release_ = release[0];
    error_ = error[1];
    close(release[1]);
    close(error[0]);
    run(settings);
  }
  const int fork_error = errno;
  close(release[0]);
  close(error[1]);
  release_ = release[1];
  error_ = error[0];
  if (pid_ < 0) {
    close_and_forget(release_);
    close_and_forget(error_);
    throw LaunchError(kTailbackFailed,
                      fmt::format("no process for the command: {}; raise the limit of processes "
                                  "(ulimit -u)",
                                  std::strerror(fork_error)));
  }
}

Child::~Child() {
  const bool executed = release_ < 0;
  close_and_forget(release_);
  close_and_forget(error_);
  if (!executed && !reaped_) waitpid(pid_, nullptr, 0);
}

// In the child.
void Child::run(const ChildSettings& settings) {
  const std::vector<char*> environment = pointers_to(settings.environment);
  std::vector<char*> arguments = pointers_to(settings.arguments);
  char go = 0;
  if (read_retrying(release_, &go, 1) != 1) _exit(kTailbackFailed);
  signals_.restore();
  if (settings.fixed_addresses) fix_addresses();
  execve(settings.path.c_str(), arguments.data(), environment.data());
  if (errno == ENOEXEC) {
    // As execvp(3): a script without a first line that names its interpreter.
    std::string shell = "/bin/sh";
    std::string script = settings.path;
    arguments[0] = script.data();
    arguments.insert(arguments.begin(), shell.data());
    execve(shell.c_str(), arguments.data(), environment.data());
  }
  const int error = errno;
  // Should the write fail, the exit status still says it.
  [[maybe_unused]] const ssize_t written = write(error_, &error, sizeof(error));
  _exit(error == ENOENT ? kNoSuchProgram : kNotExecutable);
}

void Child::execute() {
  const char go = 1;
  // If the child was killed meanwhile, wait() tells how.
  [[maybe_unused]] const ssize_t written = write(release_, &go, 1);
  close_and_forget(release_);
  int error = 0;
  const bool failed = read_retrying(error_, &error, sizeof(error)) == sizeof(error);
  close_and_forget(error_);
  if (!failed) return;
  waitpid(pid_, nullptr, 0);
  reaped_ = true;
  throw LaunchError(error == ENOENT ? kNoSuchProgram : kNotExecutable,
                    fmt::format("{}: can't be executed: {}; check the file and its interpreter",
                                quoted_text(name_), std::strerror(error)));
}

Outcome Child::wait() {
  Outcome outcome;
  while (!take_changes(outcome)) {
    siginfo_t info{};
    const int signal = sigwaitinfo(&signals_.taken(), &info);
    if (signal > 0 && signal != SIGCHLD) pass_on(info);
  }
  return outcome;
}

// True once the command has ended.
bool Child::take_changes(Outcome& outcome) {
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WSTOPPED | WNOHANG) == 0 &&
         info.si_pid == pid_) {
    switch (info.si_code) {
      case CLD_EXITED:
        reaped_ = true;
        outcome.exit_status = info.si_status;
        return true;
      case CLD_KILLED:
      case CLD_DUMPED:
        reaped_ = true;
        outcome.signal = info.si_status;
        return true;
      case CLD_STOPPED:
        stop_too(info.si_status);
        break;
      default:
        break;
    }
    info = {};
  }
  return false;
}

// The shell that waits for tailback must see the stop, or it would not give the prompt back. A
// command that is held by SIGSTOP is someone else's doing: tailback goes on.
void Child::stop_too(int signal) {
  if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU) return;
  sigset_t only_this;
  sigset_t before;
  sigemptyset(&only_this);
  sigaddset(&only_this, signal);
  raise(signal);
  pthread_sigmask(SIG_UNBLOCK, &only_this, &before);  // stops here
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  // The SIGCONT that woke us is pending: pass_on() gives it to the command.
}

void Child::pass_on(const siginfo_t& info) const {
  // From the terminal: the kernel has sent it to the whole foreground process group.
  if (info.si_code == SI_KERNEL) return;
  // The command's own `kill 0`, or a word to its parent.
  if (info.si_pid == pid_) return;
  if (info.si_code == SI_QUEUE) {
    sigqueue(pid_, info.si_signo, info.si_value);
  } else {
    kill(pid_, info.si_signo);
  }
}

}  // namespace tailback
