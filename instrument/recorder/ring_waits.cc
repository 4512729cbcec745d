// liburing's waits for completions. They return errors as -errno, and make their system call
// inline, so that only the functions that the library exports can be seen.
//
// The ring's address identifies the loop: programs wait on it through more than one of these. A
// wait that a pause has ended has not submitted anything, so it can be made again unchanged.
#include <errno.h>

#include "instrument/recorder/next_definition.h"
#include "instrument/recorder/wait_sites.h"

using namespace tailback;

namespace {

TAILBACK_INLINE uint64_t ring_key(const struct io_uring* ring) {
  return instance_wait_key(ring);
}
TAILBACK_INLINE uint64_t ring_key(unsigned fd) {
  return descriptor_wait_key(static_cast<int>(fd));
}

template <typename Ring, typename Wait>
TAILBACK_INLINE int wait_for_completions(CallScope& scope, Function function, Ring ring,
                                         uint64_t call_site, bool may_wait, Wait wait) {
  IterationBoundary boundary;
  if (may_wait) boundary.enter(scope, function, ring_key(ring), call_site);
  int result = wait();
  while (__builtin_expect(result == -EINTR, 0) && scope.cut_short_by_pause()) result = wait();
  // The number of completions is in the ring, which has no fixed layout.
  boundary.leave(scope, 0);
  return result;
}

}  // namespace

#define RING_WAIT(name, ring, may_wait, ...)                                    \
  const uint64_t call_site = CALL_SITE;                                         \
  CallScope scope(call_site, Function::name, __VA_ARGS__);                      \
  return wait_for_completions(scope, Function::name, ring, call_site, may_wait, \
                              [&] { return next.name(__VA_ARGS__); })

TAILBACK_EXPORT int io_uring_submit_and_wait(struct io_uring* ring, unsigned count) {
  RING_WAIT(io_uring_submit_and_wait, ring, count > 0, ring, count);
}

TAILBACK_EXPORT int io_uring_submit_and_wait_timeout(struct io_uring* ring,
                                                     struct io_uring_cqe** completion,
                                                     unsigned count,
                                                     struct __kernel_timespec* timeout,
                                                     sigset_t* mask) {
  RING_WAIT(io_uring_submit_and_wait_timeout, ring, count > 0, ring, completion, count, timeout,
            mask);
}

TAILBACK_EXPORT int io_uring_wait_cqes(struct io_uring* ring, struct io_uring_cqe** completion,
                                       unsigned count, struct __kernel_timespec* timeout,
                                       sigset_t* mask) {
  RING_WAIT(io_uring_wait_cqes, ring, true, ring, completion, count, timeout, mask);
}

TAILBACK_EXPORT int io_uring_wait_cqe_timeout(struct io_uring* ring,
                                              struct io_uring_cqe** completion,
                                              struct __kernel_timespec* timeout) {
  RING_WAIT(io_uring_wait_cqe_timeout, ring, true, ring, completion, timeout);
}

TAILBACK_EXPORT int __io_uring_get_cqe(struct io_uring* ring, struct io_uring_cqe** completion,
                                       unsigned submitted, unsigned count, sigset_t* mask) {
  RING_WAIT(__io_uring_get_cqe, ring, count > 0, ring, completion, submitted, count, mask);
}

// A ring that comes later at the same address is another loop.
TAILBACK_EXPORT void io_uring_queue_exit(struct io_uring* ring) {
  end_instance(ring);
  next.io_uring_queue_exit(ring);
}

TAILBACK_EXPORT int io_uring_setup(unsigned entries, struct io_uring_params* parameters) {
  const int fd = next.io_uring_setup(entries, parameters);
  count_new_descriptor(fd);
  return fd;
}

// These name the ring by its descriptor, as epoll's waits do.
TAILBACK_EXPORT int io_uring_enter(unsigned fd, unsigned submitted, unsigned count, unsigned flags,
                                   sigset_t* mask) {
  RING_WAIT(io_uring_enter, fd, count > 0, fd, submitted, count, flags, mask);
}

TAILBACK_EXPORT int io_uring_enter2(unsigned fd, unsigned submitted, unsigned count, unsigned flags,
                                    sigset_t* mask, size_t size) {
  RING_WAIT(io_uring_enter2, fd, count > 0, fd, submitted, count, flags, mask, size);
}
