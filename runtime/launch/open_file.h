// A file that is open for as long as it is looked at.
#pragma once

#include <fcntl.h>
#include <unistd.h>

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

}  // namespace tailback
