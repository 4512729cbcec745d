// Waits that are a loop's only on a thread that has no other: for a signal, and read() of what
// stands for events (an event counter, a timer, signals, changed files).
//
// Such a descriptor is noted when it is made, if reading it blocks: what libuv, tokio and others
// wake their loops with doesn't. Any other read pays for the question only. The note outlives the
// descriptor: the observer looks at what it is.
//
// libc_declarations.h goes first, as it makes libc declare each symbol as itself.
#include "instrument/recorder/libc_declarations.h"

#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/wait_sites.h"

using namespace tailback;

namespace {

constexpr int kWatched = 1024;  // descriptors beyond that are never a home
constexpr int kWordBits = 64;
uint64_t event_descriptors[kWatched / kWordBits];

void note_descriptor(int fd, bool blocks) {
  if (fd < 0 || fd >= kWatched) return;
  const uint64_t bit = uint64_t{1} << fd % kWordBits;
  uint64_t& word = event_descriptors[fd / kWordBits];
  if (blocks) {
    __atomic_fetch_or(&word, bit, __ATOMIC_RELAXED);
  } else {
    __atomic_fetch_and(&word, ~bit, __ATOMIC_RELAXED);
  }
}

TAILBACK_INLINE bool is_event_descriptor(int fd) {
  if (static_cast<unsigned>(fd) >= kWatched) return false;
  return __atomic_load_n(&event_descriptors[fd / kWordBits], __ATOMIC_RELAXED) >> (fd % kWordBits) &
         1;
}

template <typename Result, typename Next>
TAILBACK_INLINE Result call_through_pauses(CallScope& scope, Next call) {
  Result result = call();
  while (__builtin_expect(scope.interrupted_by_pause(result), 0)) result = call();
  return result;
}

}  // namespace

// The wait at a site stands apart, so that the frame of other reads stays small.
#define READ(name, result, parameters, ...)                                                  \
  TAILBACK_EXPORT result name parameters {                                                   \
    const uint64_t call_site = CALL_SITE;                                                    \
    const uint64_t frame = FRAME;                                                            \
    if (__builtin_expect(is_event_descriptor(fd), 0)) {                                      \
      auto at_site = [=]() __attribute__((noinline))->result {                               \
        CallScope scope(call_site, Function::name, __VA_ARGS__);                             \
        IterationBoundary boundary;                                                          \
        boundary.enter(scope, Function::name, reading_key(fd, call_site), call_site, frame); \
        const result got =                                                                   \
            call_through_pauses<result>(scope, [&]() { return next.name(__VA_ARGS__); });    \
        boundary.leave(scope, got >= 0 ? 1 : 0);                                             \
        return got;                                                                          \
      };                                                                                     \
      return at_site();                                                                      \
    }                                                                                        \
    CallScope scope(call_site, Function::name, __VA_ARGS__);                                 \
    return call_through_pauses<result>(scope, [&]() { return next.name(__VA_ARGS__); });     \
  }
READ(read, ssize_t, (int fd, void* buffer, size_t count), fd, buffer, count)
READ(__read_chk, ssize_t, (int fd, void* buffer, size_t count, size_t size), fd, buffer, count,
     size)
READ(eventfd_read, int, (int fd, eventfd_t* value), fd, value)

#define WAIT_FOR_SIGNAL(name, parameters, ...)                                                    \
  TAILBACK_EXPORT int name parameters {                                                           \
    const uint64_t call_site = CALL_SITE;                                                         \
    CallScope scope(call_site, Function::name, __VA_ARGS__);                                      \
    IterationBoundary boundary;                                                                   \
    boundary.enter(scope, Function::name, call_site_key(call_site), call_site);                   \
    const int result = call_through_pauses<int>(scope, [&]() { return next.name(__VA_ARGS__); }); \
    boundary.leave(scope, result >= 0 ? 1 : 0);                                                   \
    return result;                                                                                \
  }
WAIT_FOR_SIGNAL(sigwait, (const sigset_t* set, int* signal), set, signal)
WAIT_FOR_SIGNAL(sigwaitinfo, (const sigset_t* set, siginfo_t* info), set, info)
WAIT_FOR_SIGNAL(sigtimedwait,
                (const sigset_t* set, siginfo_t* info, const struct timespec* timeout), set, info,
                timeout)

// Not waits themselves. A counter that works as a semaphore hands out jobs.
TAILBACK_EXPORT int eventfd(unsigned count, int flags) noexcept {
  const int fd = next.eventfd(count, flags);
  note_descriptor(fd, (flags & (EFD_NONBLOCK | EFD_SEMAPHORE)) == 0);
  return fd;
}

TAILBACK_EXPORT int timerfd_create(clockid_t clock, int flags) noexcept {
  const int fd = next.timerfd_create(clock, flags);
  note_descriptor(fd, (flags & TFD_NONBLOCK) == 0);
  return fd;
}

TAILBACK_EXPORT int signalfd(int fd, const sigset_t* mask, int flags) noexcept {
  const int made = next.signalfd(fd, mask, flags);
  if (fd == -1) note_descriptor(made, (flags & SFD_NONBLOCK) == 0);
  return made;
}

TAILBACK_EXPORT int inotify_init() noexcept {
  const int fd = next.inotify_init();
  note_descriptor(fd, true);
  return fd;
}

TAILBACK_EXPORT int inotify_init1(int flags) noexcept {
  const int fd = next.inotify_init1(flags);
  note_descriptor(fd, (flags & IN_NONBLOCK) == 0);
  return fd;
}
