// The interceptors that the table writes: CALL, RESTARTABLE, FAST_PATH, TRY, TRACK and WAIT lines.
//
// libc_declarations.h goes first, as it makes libc declare each symbol as itself.
#include "instrument/recorder/libc_declarations.h"

#include <errno.h>
#include <stdarg.h>

#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/lock_tracking.h"
#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/stream_buffers.h"

using namespace tailback;
using namespace tailback::contract;

namespace {

// Attempts of TRY lines. 0: the lock was taken without waiting, or the lock's answer is final.
// kMustWait: the interceptor has to make the real call, and to record it. Under ThreadSanitizer a
// try would lose its lock-order reports, so there the attempt reads the lock's word: for a free
// lock the interceptor makes the real call (kMustCall), or, if nothing is tracked, jumps to it
// (kHandOn), so that its caller is the program's code in ThreadSanitizer's reports.
constexpr int kMustWait = EBUSY;
constexpr int kHandOn = -1;
constexpr int kMustCall = -2;

TAILBACK_INLINE int attempt_in_sanitizer(bool is_free, HeldKind kind) {
  if (!is_free) return kMustWait;
  return tracks(tracked_as(kind)) ? kMustCall : kHandOn;
}

TAILBACK_INLINE int try_mutex(pthread_mutex_t* mutex, bool sanitized) {
  if (!sanitized) return attempts.mutex(mutex);
  const bool is_free = __atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED) == 0;
  return attempt_in_sanitizer(is_free, HeldKind::kMutex);
}

// An attempt must not succeed where libc refuses the arguments.
TAILBACK_INLINE bool is_lock_clock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}
TAILBACK_INLINE bool is_time(const struct timespec& time) {
  return time.tv_nsec >= 0 && time.tv_nsec < 1000000000;
}

// A writer leaves its thread id; the readers are counted above three bits of flags.
TAILBACK_INLINE int try_to_read(pthread_rwlock_t* lock, bool sanitized) {
  if (!sanitized) return attempts.read(lock);
  const bool is_free = __atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED) == 0;
  return attempt_in_sanitizer(is_free, HeldKind::kRead);
}
TAILBACK_INLINE int try_to_write(pthread_rwlock_t* lock, bool sanitized) {
  if (!sanitized) return attempts.write(lock);
  const bool is_free = __atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED) == 0 &&
                       __atomic_load_n(&lock->__data.__readers, __ATOMIC_RELAXED) >> 3 == 0;
  return attempt_in_sanitizer(is_free, HeldKind::kWrite);
}

TAILBACK_INLINE int try_spin(pthread_spinlock_t* lock, bool sanitized) {
  return sanitized ? attempt_in_sanitizer(true, HeldKind::kSpin) : attempts.spin(lock);
}

TAILBACK_INLINE int try_mtx(mtx_t* mutex) {
  const int result = next.mtx_trylock(mutex);
  return result == thrd_busy ? kMustWait : result;
}

// glibc's word for "the routine has run" (__PTHREAD_ONCE_DONE).
TAILBACK_INLINE bool is_done(const pthread_once_t* once) {
  return __atomic_load_n(once, __ATOMIC_ACQUIRE) == 2;
}
TAILBACK_INLINE bool is_done(const once_flag* once) {
  return __atomic_load_n(&once->__data, __ATOMIC_ACQUIRE) == 2;
}

TAILBACK_INLINE int try_semaphore(sem_t* semaphore) {
  // sem_trywait is no cancellation point, but the call that it replaces is one.
  pthread_testcancel();
  const int saved_errno = errno;
  if (next.sem_trywait(semaphore) == 0) return 0;
  errno = saved_errno;
  return kMustWait;
}

}  // namespace

#define EXPAND(...) __VA_ARGS__
// Some functions have no arguments.
#define SCOPE(site, function, ...) CallScope scope(site, function __VA_OPT__(, ) __VA_ARGS__)
#define CALL(name, result, parameters, arguments, family, traits, roles)        \
  TAILBACK_EXPORT result name parameters noexcept(noexcept(::name arguments)) { \
    SCOPE(CALL_SITE, Function::name, EXPAND arguments);                         \
    return next.name arguments;                                                 \
  }
#define RESTARTABLE(name, result, parameters, arguments, family, traits, roles)       \
  TAILBACK_EXPORT result name parameters noexcept(noexcept(::name arguments)) {       \
    SCOPE(CALL_SITE, Function::name, EXPAND arguments);                               \
    return call_through_pauses<result>(scope, [&]() { return next.name arguments; }); \
  }
// The waiting half is a function of its own, so that the frame of calls that need not wait is
// small.
#define FAST_PATH(name, result, parameters, arguments, family, traits, roles, is_ready) \
  TAILBACK_EXPORT result name parameters noexcept(noexcept(::name arguments)) {         \
    if (__builtin_expect(is_ready, 1)) return next.name arguments;                      \
    const uint64_t call_site = CALL_SITE;                                               \
    auto recorded = [=]() __attribute__((noinline))->result {                           \
      SCOPE(call_site, Function::name, EXPAND arguments);                               \
      return next.name arguments;                                                       \
    };                                                                                  \
    return recorded();                                                                  \
  }
// A ThreadSanitizer process has a copy of its own: to the plain one every lock seems busy, so it
// jumps to the copy, whose caller is then the program. Waiting and tracking are in functions of
// their own, so that the interceptor's frame is small.
#define TRY(name, result, parameters, arguments, family, traits, roles, attempt, taken)    \
  namespace {                                                                              \
  __attribute__((noinline, cold))                                                          \
  result waiting_##name(EXPAND parameters, const uint64_t call_site) {                     \
    int outcome;                                                                           \
    {                                                                                      \
      SCOPE(call_site, Function::name, EXPAND arguments);                                  \
      ContendedWait wait(scope.entered(), Function::name, call_site, EXPAND arguments);    \
      outcome = call_through_pauses<result>(scope, [&]() { return next.name arguments; }); \
      wait.end(was_taken(outcome), EXPAND arguments);                                      \
    }                                                                                      \
    return taken;                                                                          \
  }                                                                                        \
  __attribute__((noinline, cold)) result sanitized_##name parameters {                     \
    [[maybe_unused]] constexpr bool sanitized = true;                                      \
    const uint64_t call_site = CALL_SITE;                                                  \
    int outcome = attempt;                                                                 \
    if (outcome == kHandOn) return next.name arguments;                                    \
    if (outcome == kMustWait) return waiting_##name(EXPAND arguments, call_site);          \
    if (outcome == kMustCall) {                                                            \
      const SanitizerFrame frame(call_site);                                               \
      outcome = next.name arguments;                                                       \
    }                                                                                      \
    return taken;                                                                          \
  }                                                                                        \
  }                                                                                        \
  TAILBACK_EXPORT result name parameters noexcept(noexcept(::name arguments)) {            \
    [[maybe_unused]] constexpr bool sanitized = false;                                     \
    [[maybe_unused]] const CallSite call_site;                                             \
    const int outcome = attempt;                                                           \
    if (__builtin_expect(outcome == kMustWait, 0)) {                                       \
      if (under_thread_sanitizer) return sanitized_##name arguments;                       \
      return waiting_##name(EXPAND arguments, CALL_SITE);                                  \
    }                                                                                      \
    return taken;                                                                          \
  }
#define TRACK(name, result, parameters, arguments, family, traits, roles, is_tracked, tracked)     \
  namespace {                                                                                      \
  __attribute__((noinline)) result sanitized_##name(EXPAND parameters, const uint64_t call_site) { \
    const SanitizerFrame frame(call_site);                                                         \
    return next.name arguments;                                                                    \
  }                                                                                                \
  __attribute__((noinline))                                                                        \
  result tracking_##name(EXPAND parameters, [[maybe_unused]] const uint64_t call_site) {           \
    [[maybe_unused]] const auto plain = [&]() {                                                    \
      if (__builtin_expect(current_thread.is_sanitized, 0)) {                                      \
        return sanitized_##name(EXPAND arguments, call_site);                                      \
      }                                                                                            \
      return next.name arguments;                                                                  \
    };                                                                                             \
    return tracked;                                                                                \
  }                                                                                                \
  }                                                                                                \
  TAILBACK_EXPORT result name parameters noexcept(noexcept(::name arguments)) {                    \
    if (__builtin_expect(!(is_tracked), 1)) return next.name arguments;                            \
    return tracking_##name(EXPAND arguments, CALL_SITE);                                           \
  }
#define WAIT(name, result, parameters, arguments, family, traits, roles, mutex) \
  TAILBACK_EXPORT result name parameters noexcept(noexcept(::name arguments)) { \
    const ReleasedForWait released(mutex, CALL_SITE);                           \
    time_release(address_of(mutex), is_waited_for(as_mutex(mutex)));            \
    SCOPE(CALL_SITE, Function::name, EXPAND arguments);                         \
    return next.name arguments;                                                 \
  }
#include "instrument/contract/intercept_table.inc"

// After a signal has interrupted connect(), the connection goes on in the background, and a second
// call fails with EALREADY: the EINTR of a pause can't be hidden that way. The kernel restarts
// connect() unless the socket has a send timeout.
#define CONNECT(name)                                                                  \
  TAILBACK_EXPORT int name(int fd, const struct sockaddr* address, socklen_t length) { \
    CallScope scope(CALL_SITE, Function::name, fd, address, length);                   \
    return next.name(fd, address, length);                                             \
  }
CONNECT(connect)
CONNECT(__connect)

// Variadic functions: they pass the mode on whether or not the caller gave one, as libc reads it
// only when the flags ask for it.
#define OPEN(name)                                                 \
  TAILBACK_EXPORT int name(const char* path, int flags, ...) {     \
    va_list list;                                                  \
    va_start(list, flags);                                         \
    const mode_t mode = va_arg(list, mode_t);                      \
    va_end(list);                                                  \
    CallScope scope(CALL_SITE, Function::name, path, flags, mode); \
    return next.name(path, flags, mode);                           \
  }
#define OPENAT(name)                                                      \
  TAILBACK_EXPORT int name(int dirfd, const char* path, int flags, ...) { \
    va_list list;                                                         \
    va_start(list, flags);                                                \
    const mode_t mode = va_arg(list, mode_t);                             \
    va_end(list);                                                         \
    CallScope scope(CALL_SITE, Function::name, dirfd, path, flags, mode); \
    return next.name(dirfd, path, flags, mode);                           \
  }
OPEN(open)
OPEN(open64)
OPEN(__open)
OPEN(__open64)
OPENAT(openat)
OPENAT(openat64)
