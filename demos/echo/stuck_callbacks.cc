// Callbacks that never return. The length that is sent along means nothing.

#include <pthread.h>
#include <unistd.h>

#include "demos/echo/callbacks.h"

namespace tailback::demo {
namespace {

// A thread that takes a lock which it already holds waits for itself.
void stick_in_lock(Milliseconds) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&mutex);
  // EXPECT stuck on="stuck lock" cause=lock call=pthread_mutex_lock function=stick_in_lock
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
}

// Nobody will ever write into this pipe, since the writer is the one who reads.
void stick_in_read(Milliseconds) {
  int ends[2];
  if (pipe(ends) != 0) {
    return;
  }
  char byte = 0;
  // EXPECT stuck on="stuck read" cause=ipc call=read function=stick_in_read
  const ssize_t count = read(ends[0], &byte, 1);
  static_cast<void>(count);
}

// A condition that never comes true.
// EXPECT stuck on="stuck cpu" cause=cpu call=none function=stick_on_cpu lines=+1..+6
void stick_on_cpu(Milliseconds) {
  volatile bool done = false;
  while (!done) {
  }
}

constexpr Callback kCallbacks[] = {
    {"stuck", "lock", stick_in_lock},
    {"stuck", "read", stick_in_read},
    {"stuck", "cpu", stick_on_cpu},
};

}  // namespace

std::span<const Callback> stuck_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
