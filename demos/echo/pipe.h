// A pipe and a FIFO that clean up after themselves.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace tailback::demo {

class Pipe {
 public:
  Pipe() { valid_ = pipe2(ends_, O_CLOEXEC) == 0; }
  ~Pipe() {
    if (valid_) {
      close(ends_[0]);
      close(ends_[1]);
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void put_byte() { put("x"); }
  void put(const std::string& text) {
    valid_ =
        write(writer(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) && valid_;
  }

  std::vector<char> filling() const {
    return std::vector<char>(static_cast<size_t>(fcntl(writer(), F_GETPIPE_SZ)));
  }
  void drain() {
    std::vector<char> buffer = filling();
    valid_ = read(reader(), buffer.data(), buffer.size()) > 0 && valid_;
  }

 private:
  int ends_[2] = {-1, -1};
  bool valid_ = false;
};

// A FIFO in a directory of its own.
class Fifo {
 public:
  Fifo() {
    if (mkdtemp(directory_) != nullptr) {
      path_ = std::string(directory_) + "/fifo";
      mkfifo(path_.c_str(), 0600);
    }
  }
  ~Fifo() {
    unlink(path_.c_str());
    rmdir(directory_);
  }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  const char* path() const { return path_.c_str(); }

 private:
  char directory_[32] = "/tmp/tailback-fifo-XXXXXX";
  std::string path_;
};

}  // namespace tailback::demo
