// Threads cancelled inside calls, deferred and asynchronously, with clean-up handlers and a
// destructor to be run on the way out.
#pragma once

#include <time.h>

#include <atomic>

#include "program.h"

namespace hostile {

struct CancelledCall {
  const char* name;
  void (*make)();
  bool also_asynchronous;  // safe to be left at any point
};

struct CancelledTask {
  const CancelledCall* call;
  bool asynchronous;
  std::atomic<pid_t> thread{0};  // once it is about to make the call
  int handlers = 0;
  int destructors = 0;

  struct Destructor {
    CancelledTask* task;
    ~Destructor() { ++task->destructors; }
  };
};

// A clean-up handler makes calls of its own.
inline void clean_up_task(void* task) {
  const timespec moment = {0, 1000};
  nanosleep(&moment, nullptr);
  ++static_cast<CancelledTask*>(task)->handlers;
}

inline void* run_until_cancelled(void* argument) {
  auto* task = static_cast<CancelledTask*>(argument);
  CancelledTask::Destructor destructor{task};
  pthread_cleanup_push(clean_up_task, task);
  pthread_cleanup_push(clean_up_task, task);
  if (task->asynchronous) pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
  task->thread = gettid();
  for (;;) task->call->make();
  pthread_cleanup_pop(1);
  pthread_cleanup_pop(1);
  return nullptr;
}

// Says what came of it. `wait`: what passes, from the moment that the thread is about to make the
// call until it is cancelled.
template <typename Wait>
void cancel_in(const CancelledCall& call, bool asynchronous, const char* when, const Wait& wait) {
  CancelledTask task{&call, asynchronous};
  pthread_t thread;
  pthread_create(&thread, nullptr, run_until_cancelled, &task);
  while (task.thread == 0) usleep(100);
  wait(task.thread.load());
  void* result = nullptr;
  say("%s %s %s: cancel %d", call.name, asynchronous ? "asynchronous" : "deferred", when,
      pthread_cancel(thread));
  say(" join %d", pthread_join(thread, &result));
  say(" canceled %d handlers %d destructors %d\n", result == PTHREAD_CANCELED, task.handlers,
      task.destructors);
}

inline void at_once(pid_t) {}

// Deferred, and where it can be asynchronously too.
template <typename Wait>
void cancel_both_ways(const CancelledCall& call, const char* when, const Wait& wait) {
  cancel_in(call, false, when, wait);
  if (call.also_asynchronous) cancel_in(call, true, when, wait);
}

}  // namespace hostile
