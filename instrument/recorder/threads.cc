// Threads and processes: their beginning and end.
#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/next_definition.h"

using namespace tailback;

extern "C" __attribute__((weak)) void __tsan_init();

namespace {

// What a new thread is to run, passed on without allocating. If all places are taken, the thread
// starts with the program's own routine, and attaches at its first recorded call.
struct Handover {
  union {
    void* (*routine)(void*);
    thrd_start_t c11_routine;
  };
  void* argument;
  bool taken;
};
Handover handovers[256];

Handover* take_handover() {
  for (Handover& place : handovers) {
    if (!__atomic_load_n(&place.taken, __ATOMIC_RELAXED) &&
        !__atomic_exchange_n(&place.taken, true, __ATOMIC_ACQUIRE)) {
      return &place;
    }
  }
  return nullptr;
}

void give_back(Handover* place) {
  __atomic_store_n(&place->taken, false, __ATOMIC_RELEASE);
}

// To be called in a thread that libc has made when it begins, and when it ends: in between
// ThreadSanitizer knows the thread.
void begin_sanitized_thread() {
  current_thread.is_sanitized = under_thread_sanitizer && __tsan_func_entry && __tsan_func_exit;
}
void end_sanitized_thread() {
  current_thread.is_sanitized = false;
}

// To be called before the first thread is made: from then on ThreadSanitizer knows the main thread,
// too.
void begin_sanitized_main() {
  if (!under_thread_sanitizer || !__tsan_init || current_thread.is_sanitized) return;
  const contract::ThreadRecord* record = current_record();
  if (!record ||
      record->tid.load(std::memory_order_relaxed) != record->pid.load(std::memory_order_relaxed)) {
    return;
  }
  __tsan_init();  // as its pthread_create would
  begin_sanitized_thread();
}

void on_thread_end(void*) {
  end_sanitized_thread();
  release_thread();
}

// Runs the new thread's routine, after its place has been freed. on_thread_end runs on
// pthread_exit, thrd_exit and pthread_cancel too.
template <typename Result, typename Routine>
Result run(Routine routine, void* argument) {
  attach_new_thread();
  begin_sanitized_thread();
  Result result;
  pthread_cleanup_push(on_thread_end, nullptr);
  result = routine(argument);
  pthread_cleanup_pop(1);
  return result;
}

void* run_thread(void* handover) {
  Handover* place = static_cast<Handover*>(handover);
  const auto routine = place->routine;
  void* const argument = place->argument;
  give_back(place);
  return run<void*>(routine, argument);
}

int run_c11_thread(void* handover) {
  Handover* place = static_cast<Handover*>(handover);
  const auto routine = place->c11_routine;
  void* const argument = place->argument;
  give_back(place);
  return run<int>(routine, argument);
}

}  // namespace

TAILBACK_EXPORT int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                                   void* (*routine)(void*), void* argument) noexcept {
  Handover* place = segment ? take_handover() : nullptr;
  if (!place) return next.pthread_create(thread, attributes, routine, argument);
  place->routine = routine;
  place->argument = argument;
  begin_sanitized_main();
  const SanitizerFrame frame(CALL_SITE);
  const int result = next.pthread_create(thread, attributes, run_thread, place);
  if (result != 0) give_back(place);
  return result;
}

// C11's threads end with a number.
TAILBACK_EXPORT int thrd_create(thrd_t* thread, thrd_start_t routine, void* argument) {
  Handover* place = segment ? take_handover() : nullptr;
  if (!place) return next.thrd_create(thread, routine, argument);
  place->c11_routine = routine;
  place->argument = argument;
  begin_sanitized_main();
  const SanitizerFrame frame(CALL_SITE);
  const int result = next.thrd_create(thread, run_c11_thread, place);
  if (result != thrd_success) give_back(place);
  return result;
}

// A fork of a large process takes long enough to block a loop. The call is the parent's alone. The
// child attaches at once, so that a session does not seem to end when a daemon's parent does.
#define FORK(name)                              \
  TAILBACK_EXPORT pid_t name() noexcept {       \
    CallScope scope(CALL_SITE, Function::name); \
    const pid_t pid = next.name();              \
    if (pid == 0) {                             \
      scope.abandon();                          \
      attach_forked_child();                    \
    }                                           \
    return pid;                                 \
  }
FORK(fork)
FORK(__fork)
