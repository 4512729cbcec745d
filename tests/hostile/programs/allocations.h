// Where a program allocates: in threads, in an event loop, in a forked child. `allocate` is a
// thread's function, which puts a size_t that is the same each time where its argument points.
#pragma once

#include "program.h"

namespace hostile {

using Allocate = void*(void*);

inline void allocate_in_threads(Allocate* allocate) {
  size_t results[8];
  pthread_t threads[8];
  for (int i = 0; i < 8; ++i) pthread_create(&threads[i], nullptr, allocate, &results[i]);
  for (int i = 0; i < 8; ++i) {
    pthread_join(threads[i], nullptr);
    say("length %zu\n", results[i]);
  }
}

// Each iteration is long.
inline void allocate_in_loop(Allocate* allocate) {
  Loop loop;
  loop.warm_up();
  loop.run(3, [allocate](int) {
    const int64_t end = now_ns() + 30000000;
    size_t length = 0;
    while (now_ns() < end) allocate(&length);
  });
}

inline void allocate_in_child(Allocate* allocate) {
  const pid_t child = fork();
  if (child == 0) {
    size_t length = 0;
    allocate(&length);
    say("length %zu\n", length);
    _exit(18);
  }
  say_ending("child", wait_for(child));
}

}  // namespace hostile
