#include "runtime/segment/session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "instrument/contract/compatibility.h"
#include "runtime/segment/tick_clock.h"

namespace tailback {

namespace {

contract::Segment* map(int fd, const std::string& path) {
  void* address =
      mmap(nullptr, sizeof(contract::Segment), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) {
    const int error = errno;
    close(fd);
    throw SessionError(fmt::format("can't map the session's segment {} ({} MiB): {}", path,
                                   sizeof(contract::Segment) >> 20, std::strerror(error)));
  }
  return static_cast<contract::Segment*>(address);
}

// Memory counts as a file to RLIMIT_FSIZE. The limit is the command's, which is given it back: for
// as long as this lives it is as high as it may be, and going over it is an error, not a signal.
class FileSizeLimitRaised {
 public:
  FileSizeLimitRaised() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &ignore, &action_);
    if (getrlimit(RLIMIT_FSIZE, &limit_) != 0) return;
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    const rlimit highest{limit_.rlim_max, limit_.rlim_max};
    if (setrlimit(RLIMIT_FSIZE, &none) != 0) setrlimit(RLIMIT_FSIZE, &highest);
  }
  ~FileSizeLimitRaised() {
    setrlimit(RLIMIT_FSIZE, &limit_);
    sigaction(SIGXFSZ, &action_, nullptr);
  }
  FileSizeLimitRaised(const FileSizeLimitRaised&) = delete;
  FileSizeLimitRaised& operator=(const FileSizeLimitRaised&) = delete;

 private:
  rlimit limit_{RLIM_INFINITY, RLIM_INFINITY};
  struct sigaction action_ {};
};

std::string why_no_segment(int error) {
  if (error == EFBIG) return "the limit on the size of files (ulimit -f) is below that; raise it";
  return std::strerror(error);
}

// Why the file is no segment that this build can observe, after its path; empty if it is one.
std::string why_refused(int fd) {
  contract::SegmentIdentity identity{};
  struct stat file {};
  if (fstat(fd, &file) != 0 ||
      pread(fd, &identity, sizeof identity, 0) != static_cast<ssize_t>(sizeof identity)) {
    return "is not a segment of tailback";
  }
  constexpr const char* kCure = "bin/tailback and lib/libtailback.so must be of one build";
  switch (contract::compatibility_of(identity, static_cast<uint64_t>(file.st_size))) {
    case contract::Compatibility::kSame:
      return {};
    case contract::Compatibility::kNoSegment:
      return "is not a segment of tailback";
    case contract::Compatibility::kOtherVersion:
      return fmt::format(
          "was made by another version of tailback (record contract {}, this one has {}): {}",
          identity.version, contract::kVersion, kCure);
    case contract::Compatibility::kOtherTable:
      return fmt::format(
          "was made by another build of tailback (table of intercepted functions {:016x}, this one "
          "has {:016x}): {}",
          identity.table_hash, contract::kTableHash, kCure);
  }
  return "is not a segment of tailback";
}

}  // namespace

Session Session::create() {
  // Sealed memory in place of a file in a folder: a target can't shorten it under our feet, and
  // nothing is left behind, however the session ends.
  const FileSizeLimitRaised raised;
  const int fd = memfd_create("tailback", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0 || ftruncate(fd, sizeof(contract::Segment)) != 0 ||
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    throw SessionError(fmt::format(
        "can't make the session's segment ({} MiB of shared memory, of which only what is used is "
        "taken): {}",
        sizeof(contract::Segment) >> 20, why_no_segment(error)));
  }
  const std::string path = fmt::format("/proc/{}/fd/{}", getpid(), fd);
  contract::Segment* segment = map(fd, path);
  contract::Header& header = segment->header;
  contract::identify(header.identity);
  header.tick_source = TickClock::best_source();
  header.observer.store(getpid());
  header.threshold_ticks.store(UINT64_MAX);
  header.identity.magic.store(contract::kMagic, std::memory_order_release);
  return Session(fd, segment, path);
}

Session Session::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    throw SessionError(
        fmt::format("can't open the session's segment {}: {}", path, std::strerror(errno)));
  }
  if (const std::string reason = why_refused(fd); !reason.empty()) {
    close(fd);
    throw SessionError(fmt::format("{} {}", path, reason));
  }
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
    close(fd);
    throw SessionError(
        fmt::format("{} is not a segment of tailback: it could be cut short while in use", path));
  }
  contract::Segment* segment = map(fd, path);
  segment->header.observer.store(getpid());
  return Session(fd, segment, path);
}

Session::Session(Session&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      segment_(std::exchange(other.segment_, nullptr)),
      path_(std::move(other.path_)) {}

Session::~Session() {
  if (!segment_) return;
  segment_->header.observer.store(0);
  // Recorders that live on have nobody to tell: they post nothing more.
  segment_->header.threshold_ticks.store(UINT64_MAX);
  munmap(segment_, sizeof(contract::Segment));
  close(fd_);
}

}  // namespace tailback
