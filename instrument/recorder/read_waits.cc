// read() as a loop's wait: on a thread that has no event wait, and on a descriptor that stands for
// events (an event counter, a timer, signals, changed files).
//
// The functions that make such a descriptor track it here if reading it blocks; libuv, tokio and
// others wake their loops with ones that do not block. For other reads the check is one test of a
// bit. A tracked number may outlive its descriptor: the observer checks what the descriptor is.
//
// libc_declarations.h goes first, as it makes libc declare each symbol as itself.
#include "instrument/recorder/libc_declarations.h"

#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/wait_sites.h"

using namespace tailback;

namespace {

constexpr int kTrackedDescriptors = 1024;  // descriptors from here on are never a wait site
constexpr int kWordBits = 64;
uint64_t event_descriptors[kTrackedDescriptors / kWordBits];

void track_descriptor(int fd, bool blocks) {
  if (fd < 0 || fd >= kTrackedDescriptors) return;
  const uint64_t bit = uint64_t{1} << fd % kWordBits;
  uint64_t& word = event_descriptors[fd / kWordBits];
  if (blocks) {
    __atomic_fetch_or(&word, bit, __ATOMIC_RELAXED);
  } else {
    __atomic_fetch_and(&word, ~bit, __ATOMIC_RELAXED);
  }
}

TAILBACK_INLINE bool is_event_descriptor(int fd) {
  if (static_cast<unsigned>(fd) >= kTrackedDescriptors) return false;
  return __atomic_load_n(&event_descriptors[fd / kWordBits], __ATOMIC_RELAXED) >> (fd % kWordBits) &
         1;
}

}  // namespace

// The wait at a site is a function of its own, so that the frame of other reads is small.
#define READ(name, result, parameters, ...)                                                 \
  TAILBACK_EXPORT result name parameters {                                                  \
    const uint64_t call_site = CALL_SITE;                                                   \
    const uint64_t frame = FRAME;                                                           \
    if (__builtin_expect(is_event_descriptor(fd), 0)) {                                     \
      auto at_site = [=]() __attribute__((noinline))->result {                              \
        CallScope scope(call_site, Function::name, __VA_ARGS__);                            \
        IterationBoundary boundary;                                                         \
        boundary.enter(scope, Function::name, contract::read_key(fd, call_site), call_site, \
                       frame);                                                              \
        const result got =                                                                  \
            call_through_pauses<result>(scope, [&]() { return next.name(__VA_ARGS__); });   \
        boundary.leave(scope, got >= 0 ? 1 : 0);                                            \
        return got;                                                                         \
      };                                                                                    \
      return at_site();                                                                     \
    }                                                                                       \
    CallScope scope(call_site, Function::name, __VA_ARGS__);                                \
    return call_through_pauses<result>(scope, [&]() { return next.name(__VA_ARGS__); });    \
  }
READ(read, ssize_t, (int fd, void* buffer, size_t count), fd, buffer, count)
READ(__read_chk, ssize_t, (int fd, void* buffer, size_t count, size_t size), fd, buffer, count,
     size)
READ(eventfd_read, int, (int fd, eventfd_t* value), fd, value)

// Not waits themselves. An event counter that works as a semaphore is a queue of jobs, not a loop.
TAILBACK_EXPORT int eventfd(unsigned count, int flags) noexcept {
  const int fd = next.eventfd(count, flags);
  track_descriptor(fd, (flags & (EFD_NONBLOCK | EFD_SEMAPHORE)) == 0);
  return fd;
}

TAILBACK_EXPORT int timerfd_create(clockid_t clock, int flags) noexcept {
  const int fd = next.timerfd_create(clock, flags);
  track_descriptor(fd, (flags & TFD_NONBLOCK) == 0);
  return fd;
}

TAILBACK_EXPORT int signalfd(int fd, const sigset_t* mask, int flags) noexcept {
  const int made = next.signalfd(fd, mask, flags);
  if (fd == -1) track_descriptor(made, (flags & SFD_NONBLOCK) == 0);
  return made;
}

TAILBACK_EXPORT int inotify_init() noexcept {
  const int fd = next.inotify_init();
  track_descriptor(fd, true);
  return fd;
}

TAILBACK_EXPORT int inotify_init1(int flags) noexcept {
  const int fd = next.inotify_init1(flags);
  track_descriptor(fd, (flags & IN_NONBLOCK) == 0);
  return fd;
}
