// The next definition of each intercepted function: what the program would call without the
// recorder.
//
// The recorder finds them by its own walk over the loaded modules, in the loader's order, beginning
// after itself. dlsym would allocate and take locks, and it calls allocators that take a mutex; and
// on older glibc it may return the oldest version of a versioned symbol, where the walk takes the
// default one, as a linker does. The walk works at any moment, also before the constructor: the
// first value of each pointer is a stub that resolves all and forwards (first_call.cc).
#pragma once

#include "instrument/recorder/libc_declarations.h"

namespace tailback {

// Functions beside the table's that the recorder calls, or wraps although they do not wait.
#define NEEDED_BESIDE_THE_TABLE(NAME) \
  NAME(ftrylockfile)                  \
  NAME(pthread_create)                \
  NAME(thrd_create)                   \
  NAME(epoll_create)                  \
  NAME(epoll_create1)                 \
  NAME(eventfd)                       \
  NAME(timerfd_create)                \
  NAME(signalfd)                      \
  NAME(inotify_init)                  \
  NAME(inotify_init1)                 \
  NAME(io_uring_setup)                \
  NAME(io_uring_queue_exit)           \
  NAME(prctl)                         \
  NAME(free)                          \
  NAME(realloc)                       \
  NAME(malloc_usable_size)            \
  NAME(sigaction)                     \
  NAME(signal)                        \
  NAME(bsd_signal)                    \
  NAME(ssignal)                       \
  NAME(sysv_signal)                   \
  NAME(__sysv_signal)                 \
  NAME(sigset)                        \
  NAME(sigignore)                     \
  NAME(siginterrupt)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
struct NextDefinitions {
#define EACH(name, family, traits, roles, recording) decltype(&::name) name;
#include "instrument/contract/each_intercept.inc"
#include "instrument/recorder/rules.h"
#define POINTER(name) decltype(&::name) name;
  NEEDED_BESIDE_THE_TABLE(POINTER)
#undef POINTER
};
#pragma GCC diagnostic pop

// Lies in first_call.cc.
extern NextDefinitions next asm("tailback_next_definitions") __attribute__((visibility("hidden")));

inline constexpr uint32_t kNextDefinitions = sizeof(NextDefinitions) / sizeof(void*);

// True once the program is known to run under ThreadSanitizer's runtime, which must see the plain
// lock, without an attempt before it.
TAILBACK_HIDDEN extern bool under_thread_sanitizer;
// How to try a lock before waiting for it: the next definitions, but under ThreadSanitizer
// functions that always say busy. So only for a lock that seems busy the recorder has to test for
// ThreadSanitizer.
struct Attempts {
  decltype(&::pthread_mutex_trylock) mutex;
  decltype(&::pthread_rwlock_tryrdlock) read;
  decltype(&::pthread_rwlock_trywrlock) write;
  decltype(&::pthread_spin_trylock) spin;
};
TAILBACK_HIDDEN extern Attempts attempts;
// True in the observer's own process (a preload inherited by `tailback`): the recorder stays out.
extern bool inside_observer;

// Whether `next` has been filled in once.
extern bool next_is_known;
// Whether the next free() and malloc_usable_size() are of one allocator.
extern bool free_tells_size;

// Fills `next` in. Safe at any moment, any number of times, from several threads at once. A
// function that no loaded module has keeps its stub, which looks again when it is called: the
// program may load a library later (liburing).
void resolve_next_definitions();

// To be called when a library may have been unloaded: forgets what was found in libraries that were
// loaded after the program's start. Those of the start are never unloaded.
void forget_late_definitions();

}  // namespace tailback
