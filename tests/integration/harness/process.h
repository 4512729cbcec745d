// A child process of a test. Whatever happens, it does not outlive the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tailback::test {

struct ProcessOptions {
  std::vector<std::string> command;
  // Added to the test's own environment.
  std::vector<std::pair<std::string, std::string>> environment;
  std::filesystem::path directory;  // to run in
  std::filesystem::path input;      // standard input; /dev/null if empty
  std::filesystem::path output;     // standard output; /dev/null if empty
  std::filesystem::path errors;     // standard error; /dev/null if empty
  std::optional<int> cpu;           // the only one it may run on
  int nice = 0;                     // added to the test's own
};

// How a process ended: by itself, or by a signal.
struct Ending {
  std::optional<int> status;
  std::optional<int> signal;

  bool operator==(const Ending&) const = default;
};

Ending exited(int status);
Ending killed(int signal);
std::ostream& operator<<(std::ostream& stream, const Ending& ending);

class Process {
 public:
  // Starts the command in a process group of its own; command[0] is searched in PATH. A command
  // that can't be run ends with status 127. Throws std::system_error if no process can be made.
  explicit Process(const ProcessOptions& options);
  // Kills the process's group, and waits for the process.
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  // Sends a signal, if it still runs.
  void signal(int number);
  // How it ended, or nothing if it still runs after `patience`.
  std::optional<Ending> wait(std::chrono::milliseconds patience);

 private:
  pid_t pid_ = -1;
  std::optional<Ending> ending_;
};

}  // namespace tailback::test
