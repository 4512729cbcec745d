// The observer of `tailback run`, as a process beside the launcher and the command.
//
// Why a process of its own: whatever becomes of the observer, the launcher stays, with the
// command's terminal, signals and exit status; and a command that leaves a daemon behind ends when
// it ends, while the daemon is still observed.
//
//   launcher                         observer
//   ObserverProcess()  ── fork ──▶   set up, then ready(path)
//   begin(pid)         ────────▶     first_target() … watching()
//                    the command runs
//   finish(outcome)    ────────▶     command_end() … done(failures), or let_go(failures) first
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "runtime/launch/outcome.h"
#include "runtime/launch/signals.h"

namespace tailback {

// The observer's end of the link. Not thread-safe.
class ObserverLink {
 public:
  explicit ObserverLink(int socket) : socket_(socket) {}

  // The session exists; targets find it at `path`.
  void ready(const std::string& path);
  // Waits for the command's process id; nothing: there will be no command.
  std::optional<pid_t> first_target();
  // The observer looks: the command may start.
  void watching();
  // Waits until the command has ended; nothing: the launcher has gone before it.
  std::optional<Outcome> command_end();
  // There are targets left that the launcher need not wait for. `failures` were told so far:
  // what --fail-on is about.
  void let_go(uint64_t failures);
  // The report is whole. `failures` were told.
  void done(uint64_t failures);

  // watching() was called: what goes wrong now is no reason not to run the command.
  bool is_watching() const { return is_watching_; }

 private:
  int socket_;
  bool is_watching_ = false;
};

class ObserverProcess {
 public:
  // What the observer does; the process ends when it returns. An exception before watching() is
  // thrown again in the launcher, as a LaunchError; a later one is said on standard error.
  using Body = std::function<void(ObserverLink&)>;

  // Starts the process and waits until it is ready. It has no controlling terminal, /dev/null as
  // standard input, and as standard output too unless `keeps_output`; of other descriptors none.
  // It outlasts signals that end a command. Call it before any thread exists. Throws LaunchError.
  ObserverProcess(const Body& body, bool keeps_output, const SignalScope& signals);
  // Does not wait for the process: without finish(), it ends on its own.
  ~ObserverProcess();
  ObserverProcess(const ObserverProcess&) = delete;
  ObserverProcess& operator=(const ObserverProcess&) = delete;

  const std::string& session() const { return session_; }
  pid_t pid() const { return pid_; }

  // Names the first target and waits until the observer looks. Throws LaunchError if the observer
  // has gone.
  void begin(pid_t first_target);

  enum class End {
    kDone,       // it has reported all
    kLetGo,      // it goes on for processes that the command has left
    kImpatient,  // it goes on because a second signal said not to wait for it
    kFailed,     // it has ended before its time
  };
  // Says how the command has ended and waits for the observer.
  End finish(const Outcome& outcome);

  // What the observer has told of and is to be failed on; known once finish() has returned kDone or
  // kLetGo.
  std::optional<uint64_t> failures() const { return failures_; }

 private:
  [[noreturn]] static void run(const Body& body, int inherited_socket, bool keeps_output);

  const SignalScope& signals_;
  pid_t pid_ = -1;
  int socket_ = -1;
  std::string session_;
  std::optional<uint64_t> failures_;
};

}  // namespace tailback
