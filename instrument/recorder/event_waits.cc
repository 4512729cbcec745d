// Interceptors of the event waits: where iterations begin and end.
//
// The signal of a pause may arrive on the way into a wait. These calls end with EINTR whatever
// SA_RESTART says, so the interceptor makes each again, with what is left of its timeout.
#include <time.h>

#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/stack_capture.h"
#include "instrument/recorder/wait_sites.h"

namespace tailback {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1000000000;

int64_t monotonic_now() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNanosecondsPerSecond + now.tv_nsec;
}

// What is left of a relative timeout. Reads the clock only when a wait is made again.
class Remaining {
 public:
  explicit Remaining(int64_t timeout_ns, bool may_repeat)
      : timeout_(timeout_ns), begin_(may_repeat && timeout_ns > 0 ? monotonic_now() : 0) {}

  int64_t nanoseconds() const {
    if (timeout_ <= 0) return timeout_;
    const int64_t left = timeout_ - (monotonic_now() - begin_);
    return left > 0 ? left : 0;
  }

 private:
  int64_t timeout_;
  int64_t begin_;
};

// The kernel refuses another timeout before it reads the descriptors.
bool is_valid(const struct timespec* time) {
  return !time ||
         (time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < kNanosecondsPerSecond);
}

int64_t from_timespec(const struct timespec* time) {
  return time ? time->tv_sec * kNanosecondsPerSecond + time->tv_nsec : -1;
}

// Makes `wait`, and `again` (which takes the nanoseconds left, negative: for ever) for as long as
// pauses end the wait.
template <typename Wait, typename Again>
TAILBACK_INLINE int wait_through_pauses(CallScope& scope, int64_t timeout_ns, Wait wait,
                                        Again again) {
  int result = wait();
  if (__builtin_expect(scope.interrupted_by_pause(result), 0)) {
    // The time before the first interruption is not measured: a pause arrives on the way in, so it
    // is next to nothing.
    const Remaining remaining(timeout_ns, true);
    do {
      result = again(remaining.nanoseconds());
    } while (scope.interrupted_by_pause(result));
  }
  return result;
}

int in_milliseconds(int64_t left_ns) {
  return left_ns < 0 ? -1 : static_cast<int>((left_ns + 999999) / 1000000);
}

int64_t from_milliseconds(int timeout) {
  return timeout < 0 ? -1 : timeout * int64_t{1000000};
}

struct timespec in_timespec(int64_t left_ns) {
  return {left_ns / kNanosecondsPerSecond, left_ns % kNanosecondsPerSecond};
}

// select() without descriptors is a sleep: Python up to 3.10 sleeps so, in callbacks that may be
// less deep than the loop's own wait. It is a loop's wait only on a thread that is marked or named
// as a loop.
TAILBACK_INLINE bool is_for_events(const CallScope& scope, bool has_descriptors) {
  if (__builtin_expect(has_descriptors, 1)) return true;
  const contract::ThreadRecord* record = scope.record();
  if (!record) return false;
  const uint32_t mark = record->mark.load(std::memory_order_relaxed);
  return mark == static_cast<uint32_t>(contract::ThreadMark::kLoop) ||
         (record->sites.load(std::memory_order_relaxed) & contract::kNamedLoop) != 0;
}

TAILBACK_COLD void resolve(PolledWait& wait, const struct pollfd* fds, nfds_t count) {
  PolledSet set;
  if (set.read(fds, count)) wait.resolve(set);
}

TAILBACK_COLD void remember(const PolledWait& wait, const struct pollfd* fds, nfds_t count) {
  PolledSet set;
  if (set.read(fds, count)) wait.remember(set);
}

// select() overwrites its sets, so they are copied before.
TAILBACK_COLD void take_selected(const CallScope& scope, PolledWait& wait, int count,
                                 const fd_set* reads, const fd_set* writes,
                                 const fd_set* exceptions) {
  if (!scope.record()) return;
  find_inherited_filter_once();
  PolledSet set;
  if (!may_make_system_calls() || !set.copy(scope.record()->pid.load(std::memory_order_relaxed),
                                            count, reads, writes, exceptions)) {
    return;
  }
  if (wait.depends_on_set()) wait.resolve(set);
  if (wait.is_due()) wait.remember(set);
}

}  // namespace
}  // namespace tailback

using namespace tailback;

// The body shared by all epolls: a scope, an iteration boundary around the next definition. FIRST
// and AGAIN are calls, AGAIN may use `left` (ns).
#define WAIT_AT_EPOLL(NAME, EPFD, TIMEOUT_NS, FIRST, AGAIN, ...)                      \
  const uint64_t call_site = CALL_SITE;                                               \
  CallScope scope(call_site, Function::NAME, __VA_ARGS__);                            \
  IterationBoundary boundary;                                                         \
  boundary.enter(scope, Function::NAME, descriptor_wait_key(EPFD), call_site, FRAME); \
  boundary.note_blocking((TIMEOUT_NS) != 0);                                          \
  const int result = wait_through_pauses(                                             \
      scope, TIMEOUT_NS, [&]() { return FIRST; },                                     \
      [&]([[maybe_unused]] int64_t left) { return AGAIN; });                          \
  boundary.leave(scope, result);                                                      \
  return result

TAILBACK_EXPORT int epoll_wait(int epfd, struct epoll_event* events, int maxevents, int timeout) {
  WAIT_AT_EPOLL(epoll_wait, epfd, from_milliseconds(timeout),
                next.epoll_wait(epfd, events, maxevents, timeout),
                next.epoll_wait(epfd, events, maxevents, in_milliseconds(left)), epfd, events,
                maxevents, timeout);
}

TAILBACK_EXPORT int epoll_pwait(int epfd, struct epoll_event* events, int maxevents, int timeout,
                                const sigset_t* mask) {
  WAIT_AT_EPOLL(epoll_pwait, epfd, from_milliseconds(timeout),
                next.epoll_pwait(epfd, events, maxevents, timeout, mask),
                next.epoll_pwait(epfd, events, maxevents, in_milliseconds(left), mask), epfd,
                events, maxevents, timeout, mask);
}

TAILBACK_EXPORT int epoll_pwait2(int epfd, struct epoll_event* events, int maxevents,
                                 const struct timespec* timeout, const sigset_t* mask) {
  struct timespec rest;
  WAIT_AT_EPOLL(epoll_pwait2, epfd, from_timespec(timeout),
                next.epoll_pwait2(epfd, events, maxevents, timeout, mask),
                (rest = in_timespec(left),
                 next.epoll_pwait2(epfd, events, maxevents, timeout ? &rest : nullptr, mask)),
                epfd, events, maxevents, timeout, mask);
}

// Where the wait's site depends on its descriptors, the same call is made without a timeout first:
// if it ends with 0, the kernel has read the array, and so can the recorder; if not, that is the
// end of the call.
#define WAIT_FOR_POLLED(NAME, IS_VALID, TIMEOUT_NS, AT_ONCE, FIRST, AGAIN, ...)      \
  const uint64_t call_site = CALL_SITE;                                              \
  CallScope scope(call_site, Function::NAME, __VA_ARGS__);                           \
  PolledWait wait(scope, Function::NAME, call_site, FRAME);                          \
  int result = 0;                                                                    \
  bool is_over = false;                                                              \
  if (__builtin_expect(wait.depends_on_set(), 0) && (IS_VALID)) {                    \
    result = AT_ONCE;                                                                \
    if (result >= 0) {                                                               \
      resolve(wait, fds, count);                                                     \
      is_over = result > 0 || (TIMEOUT_NS) == 0;                                     \
    } else {                                                                         \
      is_over = !scope.interrupted_by_pause(result);                                 \
    }                                                                                \
  }                                                                                  \
  IterationBoundary boundary;                                                        \
  boundary.enter(scope, Function::NAME, wait, call_site, FRAME);                     \
  boundary.note_blocking((TIMEOUT_NS) != 0);                                         \
  if (__builtin_expect(!is_over, 1)) {                                               \
    result = wait_through_pauses(                                                    \
        scope, TIMEOUT_NS, [&]() { return FIRST; },                                  \
        [&]([[maybe_unused]] int64_t left) { return AGAIN; });                       \
  }                                                                                  \
  boundary.leave(scope, result);                                                     \
  if (__builtin_expect(wait.is_due(), 0) && result >= 0) remember(wait, fds, count); \
  return result

#define POLL(name)                                                                                \
  TAILBACK_EXPORT int name(struct pollfd* fds, nfds_t count, int timeout) {                       \
    WAIT_FOR_POLLED(name, true, from_milliseconds(timeout), next.name(fds, count, 0),             \
                    next.name(fds, count, timeout), next.name(fds, count, in_milliseconds(left)), \
                    fds, count, timeout);                                                         \
  }
POLL(poll)
POLL(__poll)

TAILBACK_EXPORT int __poll_chk(struct pollfd* fds, nfds_t count, int timeout, size_t size) {
  WAIT_FOR_POLLED(__poll_chk, true, from_milliseconds(timeout),
                  next.__poll_chk(fds, count, 0, size), next.__poll_chk(fds, count, timeout, size),
                  next.__poll_chk(fds, count, in_milliseconds(left), size), fds, count, timeout);
}

TAILBACK_EXPORT int ppoll(struct pollfd* fds, nfds_t count, const struct timespec* timeout,
                          const sigset_t* mask) {
  struct timespec rest = {};
  WAIT_FOR_POLLED(
      ppoll, is_valid(timeout), from_timespec(timeout), next.ppoll(fds, count, &rest, mask),
      next.ppoll(fds, count, timeout, mask),
      (rest = in_timespec(left), next.ppoll(fds, count, timeout ? &rest : nullptr, mask)), fds,
      count, timeout, mask);
}

TAILBACK_EXPORT int __ppoll_chk(struct pollfd* fds, nfds_t count, const struct timespec* timeout,
                                const sigset_t* mask, size_t size) {
  struct timespec rest = {};
  WAIT_FOR_POLLED(__ppoll_chk, is_valid(timeout), from_timespec(timeout),
                  next.__ppoll_chk(fds, count, &rest, mask, size),
                  next.__ppoll_chk(fds, count, timeout, mask, size),
                  (rest = in_timespec(left),
                   next.__ppoll_chk(fds, count, timeout ? &rest : nullptr, mask, size)),
                  fds, count, timeout, mask);
}

#define WAIT_FOR_SELECTED(NAME, TIMEOUT_NS, FIRST, AGAIN, ...)         \
  const uint64_t call_site = CALL_SITE;                                \
  CallScope scope(call_site, Function::NAME, __VA_ARGS__);             \
  IterationBoundary boundary;                                          \
  if (is_for_events(scope, count > 0)) {                               \
    PolledWait wait(scope, Function::NAME, call_site, FRAME);          \
    if (__builtin_expect(wait.depends_on_set() || wait.is_due(), 0)) { \
      take_selected(scope, wait, count, reads, writes, exceptions);    \
    }                                                                  \
    boundary.enter(scope, Function::NAME, wait, call_site, FRAME);     \
  }                                                                    \
  const int result = wait_through_pauses(                              \
      scope, TIMEOUT_NS, [&]() { return FIRST; },                      \
      [&]([[maybe_unused]] int64_t left) { return AGAIN; });           \
  boundary.leave(scope, result);                                       \
  return result

// After EINTR select() leaves its sets undefined and the remaining time in `timeout`, so the second
// call takes them as they are.
#define SELECT(name)                                                                              \
  TAILBACK_EXPORT int name(int count, fd_set* reads, fd_set* writes, fd_set* exceptions,          \
                           struct timeval* timeout) {                                             \
    WAIT_FOR_SELECTED(name, 0, next.name(count, reads, writes, exceptions, timeout),              \
                      next.name(count, reads, writes, exceptions, timeout), count, reads, writes, \
                      exceptions, timeout);                                                       \
  }
SELECT(select)
SELECT(__select)

TAILBACK_EXPORT int pselect(int count, fd_set* reads, fd_set* writes, fd_set* exceptions,
                            const struct timespec* timeout, const sigset_t* mask) {
  struct timespec rest;
  WAIT_FOR_SELECTED(pselect, from_timespec(timeout),
                    next.pselect(count, reads, writes, exceptions, timeout, mask),
                    (rest = in_timespec(left), next.pselect(count, reads, writes, exceptions,
                                                            timeout ? &rest : nullptr, mask)),
                    count, reads, writes, exceptions, timeout, mask);
}

// Not waits themselves: they distinguish epoll instances with the same number.
TAILBACK_EXPORT int epoll_create(int size) noexcept {
  const int epfd = next.epoll_create(size);
  count_new_descriptor(epfd);
  return epfd;
}

TAILBACK_EXPORT int epoll_create1(int flags) noexcept {
  const int epfd = next.epoll_create1(flags);
  count_new_descriptor(epfd);
  return epfd;
}
