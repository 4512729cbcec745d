// The next definition of each intercepted function: what the program would have called without us.
//
// Resolved by our own walk over the loaded modules, in the loader's order, beginning after the
// recorder itself. dlsym would allocate, take locks, and is called back by allocators that take a
// mutex; and on older glibc it may return the oldest version of a versioned symbol, where the walk
// takes the default one, as a linker would. The walk works at any moment, also before our
// constructor: each pointer starts out at a stub that resolves all and forwards.
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>

#include "instrument/recorder/libc_declarations.h"

namespace tailback {

// Needed beside the table's functions, or wrapped without being calls that wait.
#define NEEDED_BESIDE_THE_TABLE(NAME) \
  NAME(pthread_mutex_trylock)         \
  NAME(pthread_mutex_unlock)          \
  NAME(sem_trywait)                   \
  NAME(pthread_create)                \
  NAME(epoll_create)                  \
  NAME(epoll_create1)                 \
  NAME(prctl)                         \
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
#define CALL(name, result, parameters, arguments, family, roles) decltype(&::name) name;
#define TRY(name, result, parameters, arguments, family, roles, attempt) decltype(&::name) name;
#define OWN(name, family, roles) decltype(&::name) name;
#include "instrument/contract/intercept_table.inc"
#undef CALL
#undef TRY
#undef OWN
#define POINTER(name) decltype(&::name) name;
  NEEDED_BESIDE_THE_TABLE(POINTER)
#undef POINTER
};
#pragma GCC diagnostic pop

extern NextDefinitions next;

// True once the program is known to run under ThreadSanitizer's runtime, which must see the plain
// lock and not an attempt first.
extern bool under_thread_sanitizer;
// True in the observer's own process (a preload inherited by `tailback`): the recorder stays out.
extern bool inside_observer;

// Fills `next` in. Safe at any moment, any number of times, from several threads at once.
void resolve_next_definitions();

}  // namespace tailback
