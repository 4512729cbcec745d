// The command as a child of the launcher.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/launch/outcome.h"
#include "runtime/launch/signals.h"

namespace tailback {

struct ChildSettings {
  std::string path;                      // what to execute
  std::vector<std::string> arguments;    // from argv[0] on
  std::vector<std::string> environment;  // "NAME=value"
  bool fixed_addresses = false;          // without randomness, where that is allowed
};

// A forked process that waits to be told to execute the command. It stands where tailback stands:
// same process group and terminal, signal mask and dispositions as tailback was started with, and
// no descriptor of ours.
class Child {
 public:
  // `signals` must outlive the child. Throws LaunchError if there can be no new process.
  Child(const ChildSettings& settings, const SignalScope& signals);
  // A child that was never told to execute goes without a trace.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  // Returns once the command runs. Throws LaunchError if it can't be executed.
  void execute();

  // Stands in for the command until it has ended: passes on what is sent to tailback (a signal from
  // the terminal has reached the command already), and stops when the command is stopped by job
  // control. For the thread that made `signals`.
  Outcome wait();

 private:
  [[noreturn]] void run(const ChildSettings& settings);
  bool take_changes(Outcome& outcome);
  void stop_too(int signal);
  void pass_on(const siginfo_t& info) const;

  const SignalScope& signals_;
  std::string name_;
  pid_t pid_ = -1;
  int release_ = -1;  // a byte written here lets the child execute
  int error_ = -1;    // brings the errno of execve(2)
  bool reaped_ = false;
};

}  // namespace tailback
