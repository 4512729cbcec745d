// Callbacks that wait for a file system.

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "demos/echo/callbacks.h"
#include "demos/echo/later.h"

namespace tailback::demo {
namespace {

// A file that nobody can open until the lease on it is given up: a disk whose slowness is exact.
class LeasedFile {
 public:
  LeasedFile() {
    signal(SIGIO, SIG_IGN);  // how the kernel asks the holder to give the lease up
    fd_ = mkstemp(path_);
    fcntl(fd_, F_SETLEASE, F_WRLCK);
  }
  ~LeasedFile() {
    close(fd_);
    unlink(path_);
  }
  LeasedFile(const LeasedFile&) = delete;
  LeasedFile& operator=(const LeasedFile&) = delete;

  const char* path() const { return path_; }
  void give_up() { fcntl(fd_, F_SETLEASE, F_UNLCK); }

 private:
  char path_[32] = "/tmp/tailback-leased-XXXXXX";
  int fd_ = -1;
};

void block_in_open(Milliseconds length) {
  LeasedFile file;
  const Later release(length, [&file] { file.give_up(); });
  // EXPECT stall on="file open" cause=file call=open|open64 object="/tmp/tailback-leased-"
  // function=block_in_open
  const int fd = open(file.path(), O_RDONLY);
  close(fd);
}

void block_in_openat(Milliseconds length) {
  LeasedFile file;
  const Later release(length, [&file] { file.give_up(); });
  // EXPECT stall on="file openat" cause=file call=openat|openat64 object="/tmp/tailback-leased-"
  // function=block_in_openat
  const int fd = openat(AT_FDCWD, file.path(), O_RDONLY);
  close(fd);
}

constexpr Callback kCallbacks[] = {
    {"file", "open", block_in_open},
    {"file", "openat", block_in_openat},
};

}  // namespace

std::span<const Callback> file_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
