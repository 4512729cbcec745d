// DEMO fsync: a file is written to the disk in the loop, with fsync()
//
// write() is quick, for it only fills the page cache; fsync() waits until the disk has all of it.
// How long that takes is the disk's affair: this writes twice as much until it took 100 ms. The
// cure: a worker thread, io_uring, or a log that is written by somebody else.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <vector>

#include "demos/coroutines/heartbeat.h"

using namespace std::chrono_literals;
using tailback::demo::Loop;
using tailback::demo::Task;

namespace {

constexpr int kMostMegabytes = 1024;

std::chrono::duration<double> sync(int file) {
  const auto begin = std::chrono::steady_clock::now();
  // EXPECT stall cause=file call=fsync object="tailback-fsync-" function=sync
  fsync(file);
  return std::chrono::steady_clock::now() - begin;
}

Task serve(Loop& loop, int file, bool& done) {
  const std::vector<char> megabyte(1 << 20, 'x');
  co_await loop.timer(100ms);
  for (int megabytes = 64; megabytes <= kMostMegabytes && !done; megabytes *= 2) {
    for (int i = 0; i < megabytes; ++i) {
      if (pwrite(file, megabyte.data(), megabyte.size(), off_t{i} << 20) < 0) {
        std::printf("the disk takes no more: %s\n", std::strerror(errno));
        done = true;
        break;
      }
      co_await loop.timer(1ms);
    }
    const std::chrono::duration<double> time = sync(file);
    std::printf("%d MiB: %.0f ms in fsync\n", megabytes, time.count() * 1000);
    done = done || time > 100ms;
    co_await loop.timer(100ms);
  }
  if (!done) {
    std::puts("this file system has no disk behind it, or a very quick one");
  }
  done = true;
}

}  // namespace

int main(int argc, char** argv) {
  std::string path = argc > 1 ? argv[1] : "/var/tmp";
  path += "/tailback-fsync-XXXXXX";
  const int file = mkstemp(path.data());
  if (file < 0) {
    std::fprintf(stderr, "fsync: can't make %s: %s\n", path.c_str(), std::strerror(errno));
    return 1;
  }
  std::chrono::milliseconds longest{};
  {
    Loop loop;
    bool done = false;
    const Task beat = heartbeat(loop, done, longest);
    const Task service = serve(loop, file, done);
    loop.run();
  }
  unlink(path.c_str());
  close(file);
  std::printf("the loop's other work had to wait for up to %lld ms\n",
              static_cast<long long>(longest.count()));
}
