#include "tests/integration/harness/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ostream>
#include <system_error>

namespace tailback::test {
namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) {
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

bool names(const std::string& entry, const std::string& variable) {
  return entry.size() > variable.size() && entry[variable.size()] == '=' &&
         entry.starts_with(variable);
}

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    result.emplace_back(*entry);
  }
  for (const auto& [variable, value] : added) {
    std::erase_if(result, [&](const std::string& entry) { return names(entry, variable); });
    result.push_back(variable + "=" + value);
  }
  return result;
}

void redirect(int fd, const std::filesystem::path& path, int flags) {
  const int file = open(path.empty() ? "/dev/null" : path.c_str(), flags | O_CLOEXEC, 0600);
  if (file >= 0) {
    dup2(file, fd);
  }
}

[[noreturn]] void run_child(const ProcessOptions& options, char* const* arguments,
                            char* const* environment) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  redirect(STDIN_FILENO, options.input, O_RDONLY);
  redirect(STDOUT_FILENO, options.output, O_WRONLY | O_CREAT | O_APPEND);
  redirect(STDERR_FILENO, options.errors, O_WRONLY | O_CREAT | O_APPEND);
  if (options.cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<unsigned>(*options.cpu), &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
  }
  const bool ready = (options.directory.empty() || chdir(options.directory.c_str()) == 0) &&
                     (options.nice == 0 || nice(options.nice) != -1);
  if (ready) {
    execvpe(arguments[0], arguments, environment);
  }
  _exit(127);
}

int open_pidfd(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

}  // namespace

Ending exited(int status) {
  return {status, std::nullopt};
}

Ending killed(int signal) {
  return {std::nullopt, signal};
}

std::ostream& operator<<(std::ostream& stream, const Ending& ending) {
  if (ending.signal) {
    return stream << "killed by signal " << *ending.signal;
  }
  return stream << "exit status " << ending.status.value_or(-1);
}

Process::Process(const ProcessOptions& options) {
  std::vector<std::string> command = options.command;
  std::vector<std::string> environment = environment_with(options.environment);
  const std::vector<char*> arguments = pointers(command);
  const std::vector<char*> variables = pointers(environment);
  pid_ = fork();
  if (pid_ < 0) {
    throw std::system_error(errno, std::generic_category(), "can't fork");
  }
  if (pid_ == 0) {
    run_child(options, arguments.data(), variables.data());
  }
  setpgid(pid_, pid_);  // whoever comes first, so that the group is there from now on
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), ending_(std::move(other.ending_)) {}

Process::~Process() {
  if (pid_ < 0) {
    return;
  }
  kill(-pid_, SIGKILL);
  if (!ending_) {
    waitpid(pid_, nullptr, 0);
  }
}

bool Process::running() {
  return !wait(std::chrono::milliseconds(0));
}

void Process::signal(int number) {
  if (running()) {
    kill(pid_, number);
  }
}

std::optional<Ending> Process::wait(std::chrono::milliseconds patience) {
  if (ending_) {
    return ending_;
  }
  const int pidfd = open_pidfd(pid_);
  if (pidfd < 0) {
    throw std::system_error(errno, std::generic_category(), "can't watch a child");
  }
  pollfd ended{pidfd, POLLIN, 0};
  const int ready = poll(&ended, 1, static_cast<int>(patience.count()));
  close(pidfd);
  int status = 0;
  if (ready == 1 && waitpid(pid_, &status, 0) == pid_) {
    ending_ = WIFSIGNALED(status) ? killed(WTERMSIG(status)) : exited(WEXITSTATUS(status));
  }
  return ending_;
}

}  // namespace tailback::test
