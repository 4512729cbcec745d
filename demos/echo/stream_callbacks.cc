// Callbacks that wait in stdio: libc's own reads and writes can't be intercepted, its functions
// can.

#include <stdio.h>

#include <cstdlib>

#include "demos/echo/callbacks.h"
#include "demos/echo/later.h"
#include "demos/echo/pipe.h"

namespace tailback::demo {
namespace {

// A pipe's end as a stream.
class Stream {
 public:
  Stream(int fd, const char* mode) : stream_(fdopen(dup(fd), mode)) {}
  ~Stream() { fclose(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  FILE* get() const { return stream_; }

 private:
  FILE* stream_;
};

void block_in_fgets(Milliseconds length) {
  Pipe pipe;
  const Stream reader(pipe.reader(), "r");
  const Later release(length, [&pipe] { pipe.put("a line\n"); });
  char line[32];
  // EXPECT stall on="stream fgets" cause=ipc call=fgets function=block_in_fgets
  const char* read = fgets(line, sizeof line, reader.get());
  static_cast<void>(read);
}

void block_in_getline(Milliseconds length) {
  Pipe pipe;
  const Stream reader(pipe.reader(), "r");
  const Later release(length, [&pipe] { pipe.put("a line\n"); });
  char* line = nullptr;
  size_t size = 0;
  // EXPECT stall on="stream getline" cause=ipc call=getline|__getdelim
  // function=block_in_getline
  const ssize_t read = getline(&line, &size, reader.get());
  static_cast<void>(read);
  free(line);
}

// The first byte is in the stream's buffer, the second is not.
void block_in_fgetc(Milliseconds length) {
  Pipe pipe;
  pipe.put_byte();
  const Stream reader(pipe.reader(), "r");
  fgetc(reader.get());
  const Later release(length, [&pipe] { pipe.put_byte(); });
  // EXPECT stall on="stream fgetc" cause=ipc call=fgetc|getc function=block_in_fgetc
  fgetc(reader.get());
}

void block_in_fread(Milliseconds length) {
  Pipe pipe;
  const Stream reader(pipe.reader(), "r");
  const Later release(length, [&pipe] { pipe.put("12345678"); });
  char bytes[8];
  // EXPECT stall on="stream fread" cause=ipc call=fread function=block_in_fread
  const size_t read = fread(bytes, 1, sizeof bytes, reader.get());
  static_cast<void>(read);
}

void block_in_fscanf(Milliseconds length) {
  Pipe pipe;
  const Stream reader(pipe.reader(), "r");
  const Later release(length, [&pipe] { pipe.put("17\n"); });
  int number = 0;
  // EXPECT stall on="stream fscanf" cause=ipc call=fscanf|__isoc99_fscanf function=block_in_fscanf
  const int read = fscanf(reader.get(), "%d", &number);
  static_cast<void>(read);
}

// What is written fits the stream's buffer, but no longer the pipe.
void block_in_fflush(Milliseconds length) {
  Pipe pipe;
  const std::vector<char> filling = pipe.filling();
  const ssize_t count = write(pipe.writer(), filling.data(), filling.size());
  static_cast<void>(count);
  const Stream writer(pipe.writer(), "w");
  fputs("one line more\n", writer.get());
  const Later release(length, [&pipe] { pipe.drain(); });
  // EXPECT stall on="stream fflush" cause=ipc call=fflush function=block_in_fflush
  fflush(writer.get());
}

// Without a buffer every printf writes.
void block_in_fprintf(Milliseconds length) {
  Pipe pipe;
  const std::vector<char> filling = pipe.filling();
  const ssize_t count = write(pipe.writer(), filling.data(), filling.size());
  static_cast<void>(count);
  const Stream writer(pipe.writer(), "w");
  setvbuf(writer.get(), nullptr, _IONBF, 0);
  const Later release(length, [&pipe] { pipe.drain(); });
  // EXPECT stall on="stream fprintf" cause=ipc call=fprintf|__fprintf_chk function=block_in_fprintf
  fprintf(writer.get(), "%d bottles\n", 99);
}

// Another thread has locked the stream for itself.
void block_in_flockfile(Milliseconds length) {
  Pipe pipe;
  const Stream reader(pipe.reader(), "r");
  FILE* const stream = reader.get();
  const Later owner(Milliseconds(0), [stream, length] {
    flockfile(stream);
    const timespec duration = to_timespec(length);
    nanosleep(&duration, nullptr);
    funlockfile(stream);
  });
  while (ftrylockfile(stream) == 0) funlockfile(stream);
  // EXPECT stall on="stream flockfile" cause=lock call=flockfile function=block_in_flockfile
  flockfile(stream);
  funlockfile(stream);
}

void block_in_fopen(Milliseconds length) {
  const Fifo fifo;
  const Later release(length, [&fifo] { close(open(fifo.path(), O_WRONLY)); });
  // EXPECT stall on="stream fopen" cause=ipc call=fopen|fopen64 object="/tmp/tailback-fifo-"
  // function=block_in_fopen
  FILE* stream = fopen(fifo.path(), "r");
  fclose(stream);
}

constexpr Callback kCallbacks[] = {
    {"stream", "fgets", block_in_fgets},     {"stream", "getline", block_in_getline},
    {"stream", "fgetc", block_in_fgetc},     {"stream", "fread", block_in_fread},
    {"stream", "fscanf", block_in_fscanf},   {"stream", "fflush", block_in_fflush},
    {"stream", "fprintf", block_in_fprintf}, {"stream", "flockfile", block_in_flockfile},
    {"stream", "fopen", block_in_fopen},
};

}  // namespace

std::span<const Callback> stream_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
