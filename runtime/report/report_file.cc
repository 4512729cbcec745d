#include "runtime/report/report_file.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "runtime/report/terminal_escape.h"

namespace tailback {
namespace {

constexpr int kWaitMilliseconds = 50;
constexpr int kLastWaitMilliseconds = 2000;

// While it lives, a write to a pipe without a reader gives EPIPE and no SIGPIPE. The signal's
// disposition belongs to the launcher, so it is blocked here and taken back if this thread got it.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &old_mask_);
  }
  ~SigpipeBlocked() {
    const int saved = errno;
    const timespec no_wait{};
    while (!was_pending_ && sigtimedwait(&sigpipe_, nullptr, &no_wait) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
    errno = saved;
  }
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

 private:
  sigset_t sigpipe_{};
  sigset_t old_mask_{};
  bool was_pending_ = false;
};

const char* cure(int error) {
  switch (error) {
    case ENOENT:
      return "create the directory first";
    case EACCES:
    case EPERM:
    case EROFS:
      return "name a file that you may write";
    case EISDIR:
      return "name a file, not a directory";
    case ENOSPC:
    case EDQUOT:
      return "free some space";
    default:
      return "name another file";
  }
}

}  // namespace

ReportFile::ReportFile(const std::string& path, Complain complain)
    : name_(path), complain_(std::move(complain)) {
  if (path == "-") {
    name_ = "standard output";
    descriptor_ = STDOUT_FILENO;
    return;
  }
  // O_APPEND: when two sessions write one file their lines mix, but none overwrites another.
  descriptor_ =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
  if (descriptor_ < 0) {
    const int error = errno;
    throw ReportFileError(fmt::format("can't write the report to '{}': {}; {}",
                                      escape_for_terminal(path, 4096), std::strerror(error),
                                      cure(error)));
  }
  owned_ = true;
}

ReportFile::ReportFile(int descriptor, std::string name, Complain complain)
    : descriptor_(descriptor), name_(std::move(name)), complain_(std::move(complain)) {}

ReportFile::~ReportFile() {
  if (!pending_.empty()) {
    reader_stuck_ = false;
    drain(kLastWaitMilliseconds);
  }
  lost_pieces_ += pending_.size();
  if (lost_pieces_ > 0 && complain_) {
    complain_(fmt::format("tailback: {} could not be written to {} ({}) and {} lost",
                          lost_pieces_ == 1 ? "1 report" : fmt::format("{} reports", lost_pieces_),
                          escape_for_terminal(name_, 4096), std::strerror(last_error_),
                          lost_pieces_ == 1 ? "is" : "are"));
  }
  if (owned_) ::close(descriptor_);
}

bool ReportFile::is_terminal() const {
  return ::isatty(descriptor_) == 1;
}

void ReportFile::append(std::string_view piece) {
  drain(kWaitMilliseconds);
  size_t written = 0;
  if (pending_.empty() && write_from(piece, written, kWaitMilliseconds) == Outcome::kDone) return;
  keep(piece, written);
}

void ReportFile::drain(int wait_milliseconds) {
  while (!pending_.empty()) {
    if (write_from(pending_.front(), front_written_, wait_milliseconds) == Outcome::kFailed) return;
    pending_bytes_ -= pending_.front().size();
    pending_.pop_front();
    front_written_ = 0;
  }
}

ReportFile::Outcome ReportFile::write_from(std::string_view piece, size_t& written,
                                           int wait_milliseconds) {
  const SigpipeBlocked guard;
  while (written < piece.size()) {
    const ssize_t count = ::write(descriptor_, piece.data() + written, piece.size() - written);
    if (count > 0) {
      written += static_cast<size_t>(count);
      reader_stuck_ = false;
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    last_error_ = count < 0 ? errno : EIO;
    // A target that shares the terminal or pipe with us may have made it non-blocking.
    if (last_error_ == EAGAIN && !reader_stuck_) {
      pollfd writable{descriptor_, POLLOUT, 0};
      if (::poll(&writable, 1, wait_milliseconds) > 0) continue;
      reader_stuck_ = true;
    }
    ++failed_writes_;
    if (!std::exchange(complained_, true) && complain_) {
      complain_(
          fmt::format("tailback: can't write to {}: {}; the session goes on, and what is not "
                      "written is tried again",
                      escape_for_terminal(name_, 4096), std::strerror(last_error_)));
    }
    return Outcome::kFailed;
  }
  return Outcome::kDone;
}

void ReportFile::keep(std::string_view piece, size_t written) {
  if (pending_.empty()) front_written_ = written;
  pending_.emplace_back(piece);
  pending_bytes_ += piece.size();
  // The oldest go first, for the end record is worth more; a piece of which the file has a part
  // must stay, or the next would continue its line.
  while (pending_bytes_ > kPendingBytes && pending_.size() > 1) {
    const auto victim = front_written_ > 0 ? pending_.begin() + 1 : pending_.begin();
    pending_bytes_ -= victim->size();
    pending_.erase(victim);
    ++lost_pieces_;
  }
}

void ReportFile::say_on_standard_error(std::string_view line) {
  std::string whole(line);
  whole += '\n';
  const SigpipeBlocked guard;
  // Nowhere is left to say that this failed.
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, whole.data(), whole.size());
}

}  // namespace tailback
