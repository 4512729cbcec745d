// Callbacks that wait for the other end of a pipe.

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "demos/echo/callbacks.h"
#include "demos/echo/later.h"

namespace tailback::demo {
namespace {

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
  void put_byte() { valid_ = write(writer(), "x", 1) == 1 && valid_; }

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

void block_in_read(Milliseconds length) {
  Pipe pipe;
  const Later release(length, [&pipe] { pipe.put_byte(); });
  char byte = 0;
  // EXPECT stall on="pipe read" cause=ipc call=read function=block_in_read
  const ssize_t count = read(pipe.reader(), &byte, 1);
  static_cast<void>(count);
}

void block_in_readv(Milliseconds length) {
  Pipe pipe;
  const Later release(length, [&pipe] { pipe.put_byte(); });
  char byte = 0;
  const iovec part{&byte, 1};
  // EXPECT stall on="pipe readv" cause=ipc call=readv function=block_in_readv
  const ssize_t count = readv(pipe.reader(), &part, 1);
  static_cast<void>(count);
}

// The first write fills the pipe, the second waits for room in it.
void block_in_write(Milliseconds length) {
  Pipe pipe;
  const std::vector<char> filling = pipe.filling();
  ssize_t count = write(pipe.writer(), filling.data(), filling.size());
  const Later release(length, [&pipe] { pipe.drain(); });
  // EXPECT stall on="pipe write" cause=ipc call=write function=block_in_write
  count = write(pipe.writer(), filling.data(), filling.size());
  static_cast<void>(count);
}

// A FIFO can't be opened for reading until somebody opens it for writing.
void block_in_fifo_open(Milliseconds length) {
  const Fifo fifo;
  const Later release(length, [&fifo] { close(open(fifo.path(), O_WRONLY)); });
  // EXPECT stall on="pipe open" cause=ipc call=open|open64 object="/tmp/tailback-fifo-"
  // function=block_in_fifo_open
  const int fd = open(fifo.path(), O_RDONLY);
  close(fd);
}

constexpr Callback kCallbacks[] = {
    {"pipe", "read", block_in_read},
    {"pipe", "readv", block_in_readv},
    {"pipe", "write", block_in_write},
    {"pipe", "open", block_in_fifo_open},
};

}  // namespace

std::span<const Callback> pipe_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
