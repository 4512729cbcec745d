// A file that is open for as long as it is looked at, and what stands in it.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace tailback {

class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  // Negative: it could not be opened; errno says why.
  int fd() const { return fd_; }

 private:
  int fd_;
};

// False: the file has not as much there.
inline bool read_exactly(int fd, void* to, size_t size, uint64_t offset) {
  return offset <= INT64_MAX - size &&
         pread(fd, to, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

}  // namespace tailback
