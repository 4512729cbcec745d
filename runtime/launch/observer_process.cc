#include "runtime/launch/observer_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/fmt/fmt.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string_view>

#include "runtime/launch/background.h"
#include "runtime/launch/launch_error.h"

namespace tailback {
namespace {

// A message is one packet: a letter for its kind and a text.
enum Kind : char {
  kReady = 'r',        // observer: path of the session
  kRefused = 'x',      // observer: exit status, as one character, and a line
  kFirstTarget = 'f',  // launcher: pid
  kWatching = 'w',     // observer
  kExited = 'e',       // launcher: exit status
  kKilled = 'k',       // launcher: signal
  kLetGo = 'l',        // observer: failures so far
  kDone = 'd',         // observer: failures
};
constexpr size_t kLongestMessage = 16384;

void send_message(int socket, Kind kind, std::string_view text = {}) {
  std::string packet(1, kind);
  packet += text.substr(0, kLongestMessage - 1);
  ssize_t sent = 0;
  do {
    sent = send(socket, packet.data(), packet.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  // A failure means that the other side has gone; the next receive_message() tells.
}

// Empty: the other side has gone.
std::string receive_message(int socket) {
  std::string packet(kLongestMessage, '\0');
  ssize_t size = 0;
  do {
    size = recv(socket, packet.data(), packet.size(), 0);
  } while (size < 0 && errno == EINTR);
  packet.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return packet;
}

int number_in(const std::string& message) {
  return std::atoi(message.c_str() + 1);
}

}  // namespace

void ObserverLink::ready(const std::string& path) {
  send_message(socket_, kReady, path);
}

std::optional<pid_t> ObserverLink::first_target() {
  const std::string message = receive_message(socket_);
  if (message.empty() || message[0] != kFirstTarget) return std::nullopt;
  return number_in(message);
}

void ObserverLink::watching() {
  is_watching_ = true;
  send_message(socket_, kWatching);
}

std::optional<Outcome> ObserverLink::command_end() {
  const std::string message = receive_message(socket_);
  if (message.empty()) return std::nullopt;
  Outcome outcome;
  (message[0] == kKilled ? outcome.signal : outcome.exit_status) = number_in(message);
  return outcome;
}

void ObserverLink::let_go(uint64_t failures) {
  send_message(socket_, kLetGo, std::to_string(failures));
}

void ObserverLink::done(uint64_t failures) {
  send_message(socket_, kDone, std::to_string(failures));
}

ObserverProcess::ObserverProcess(const Body& body, bool keeps_output, const SignalScope& signals)
    : signals_(signals) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw LaunchError(kTailbackFailed, fmt::format("no socket to the observer: {}; raise the limit "
                                                   "of open files (ulimit -n)",
                                                   std::strerror(errno)));
  }
  pid_ = fork();
  if (pid_ == 0) run(body, ends[1], keeps_output);
  const int fork_error = errno;
  socket_ = ends[0];
  close(ends[1]);
  if (pid_ < 0) {
    close(socket_);
    throw LaunchError(kTailbackFailed,
                      fmt::format("no process for the observer: {}; raise the limit of processes "
                                  "(ulimit -u)",
                                  std::strerror(fork_error)));
  }
  const std::string message = receive_message(socket_);
  if (!message.empty() && message[0] == kReady) {
    session_ = message.substr(1);
    return;
  }
  close(socket_);
  waitpid(pid_, nullptr, 0);
  if (message.size() > 2 && message[0] == kRefused) {
    throw LaunchError(static_cast<unsigned char>(message[1]), message.substr(2));
  }
  throw LaunchError(kTailbackFailed,
                    "the observer ended before it was ready; this is a defect of "
                    "tailback, report it");
}

ObserverProcess::~ObserverProcess() {
  close(socket_);
}

// In the observer.
void ObserverProcess::run(const Body& body, int inherited_socket, bool keeps_output) {
  // Descriptors that the caller meant for the command are none of the observer's.
  const int socket = STDERR_FILENO + 1;
  if (inherited_socket != socket) dup3(inherited_socket, socket, O_CLOEXEC);
  close_range(socket + 1, ~0U, 0);
  become_background(keeps_output);

  ObserverLink link(socket);
  int status = EXIT_SUCCESS;
  std::string problem;
  try {
    body(link);
  } catch (const LaunchError& error) {
    status = error.exit_status();
    problem = error.what();
  } catch (const std::exception& error) {
    status = kTailbackFailed;
    problem = error.what();
  }
  if (!problem.empty() && link.is_watching()) {
    problem = "tailback: " + problem + "\n";
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, problem.data(), problem.size());
  } else if (!problem.empty()) {
    send_message(socket, kRefused, std::string(1, static_cast<char>(status)) + problem);
  }
  std::exit(status);
}

void ObserverProcess::begin(pid_t first_target) {
  send_message(socket_, kFirstTarget, std::to_string(first_target));
  const std::string message = receive_message(socket_);
  if (!message.empty() && message[0] == kWatching) return;
  if (message.size() > 2 && message[0] == kRefused) {
    throw LaunchError(static_cast<unsigned char>(message[1]), message.substr(2));
  }
  throw LaunchError(kTailbackFailed,
                    "the observer ended before the command began; this is a "
                    "defect of tailback, report it");
}

ObserverProcess::End ObserverProcess::finish(const Outcome& outcome) {
  if (outcome.signal) {
    send_message(socket_, kKilled, std::to_string(*outcome.signal));
  } else {
    send_message(socket_, kExited, std::to_string(outcome.exit_status.value_or(0)));
  }
  // One signal may be the very one that ended the command.
  int patience = 2;
  const int impatience = signalfd(-1, &signals_.taken(), SFD_CLOEXEC | SFD_NONBLOCK);
  std::array<pollfd, 2> waits = {pollfd{socket_, POLLIN, 0}, pollfd{impatience, POLLIN, 0}};
  End end = End::kImpatient;
  while (patience > 0) {
    if (poll(waits.data(), waits.size(), -1) < 0) continue;
    if (waits[0].revents != 0) {
      const std::string message = receive_message(socket_);
      if (!message.empty()) failures_ = std::strtoull(message.c_str() + 1, nullptr, 10);
      end = !message.empty() && message[0] == kLetGo ? End::kLetGo : End::kDone;
      break;
    }
    signalfd_siginfo info{};
    while (read(impatience, &info, sizeof(info)) == sizeof(info)) {
      const auto signal = static_cast<int>(info.ssi_signo);
      if (signal == SIGINT || signal == SIGTERM || signal == SIGQUIT || signal == SIGHUP) {
        --patience;
      }
    }
  }
  if (impatience >= 0) close(impatience);
  if (end != End::kDone) return end;
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_ || !WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
      !failures_) {
    return End::kFailed;
  }
  return End::kDone;
}

}  // namespace tailback
