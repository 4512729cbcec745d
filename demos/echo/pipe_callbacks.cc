// Callbacks that wait for the other end of a pipe.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <vector>

#include "demos/echo/callbacks.h"
#include "demos/echo/later.h"
#include "demos/echo/pipe.h"

namespace tailback::demo {
namespace {

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

// Loading a library reads its file. This one is a FIFO, so that it takes long enough.
void block_in_dlopen(Milliseconds length) {
  const Fifo fifo;
  const Later release(length, [&fifo] { close(open(fifo.path(), O_WRONLY)); });
  // EXPECT stall on="pipe dlopen" cause=ipc call=dlopen object="/tmp/tailback-fifo-"
  // function=block_in_dlopen
  void* library = dlopen(fifo.path(), RTLD_NOW);
  if (library) dlclose(library);
}

constexpr Callback kCallbacks[] = {
    {"pipe", "read", block_in_read},     {"pipe", "readv", block_in_readv},
    {"pipe", "write", block_in_write},   {"pipe", "open", block_in_fifo_open},
    {"pipe", "dlopen", block_in_dlopen},
};

}  // namespace

std::span<const Callback> pipe_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
