// Interceptors of the sleeps. A pause that arrives on the way into a sleep ends it early with
// EINTR: the interceptor sleeps for the rest of the time, and the program sees nothing.
#include <errno.h>
#include <time.h>

#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/next_definition.h"

using namespace tailback;

#define NANOSLEEP(name)                                                                   \
  TAILBACK_EXPORT int name(const struct timespec* duration, struct timespec* remaining) { \
    CallScope scope(CALL_SITE, Function::name, duration, remaining);                      \
    struct timespec left;                                                                 \
    int result = next.name(duration, &left);                                              \
    while (scope.interrupted_by_pause(result)) {                                          \
      const struct timespec rest = left;                                                  \
      result = next.name(&rest, &left);                                                   \
    }                                                                                     \
    if (result == -1 && errno == EINTR && remaining) *remaining = left;                   \
    return result;                                                                        \
  }
NANOSLEEP(nanosleep)
NANOSLEEP(__nanosleep)

TAILBACK_EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec* time,
                                    struct timespec* remaining) {
  CallScope scope(CALL_SITE, Function::clock_nanosleep, clock, flags, time, remaining);
  const bool relative = (flags & TIMER_ABSTIME) == 0;
  struct timespec left;
  int result = next.clock_nanosleep(clock, flags, time, relative ? &left : remaining);
  while (result == EINTR && scope.cut_short_by_pause()) {
    const struct timespec rest = relative ? left : *time;
    result = next.clock_nanosleep(clock, flags, &rest, relative ? &left : remaining);
  }
  if (result == EINTR && relative && remaining) *remaining = left;
  return result;
}

TAILBACK_EXPORT int thrd_sleep(const struct timespec* duration, struct timespec* remaining) {
  CallScope scope(CALL_SITE, Function::thrd_sleep, duration, remaining);
  struct timespec left;
  int result = next.thrd_sleep(duration, &left);
  while (result == -1 && scope.cut_short_by_pause()) {
    const struct timespec rest = left;
    result = next.thrd_sleep(&rest, &left);
  }
  if (result == -1 && remaining) *remaining = left;
  return result;
}

namespace {

// The end of a sleep, for calls that do not report exactly how much of it is left.
class SleepEnd {
 public:
  SleepEnd(long seconds, long nanoseconds) {
    clock_gettime(CLOCK_MONOTONIC, &end_);
    end_.tv_sec += seconds + (end_.tv_nsec + nanoseconds) / kSecond;
    end_.tv_nsec = (end_.tv_nsec + nanoseconds) % kSecond;
  }

  // Sleeps until the end, through any pauses. Returns false if another signal ended the sleep.
  bool sleep_on(CallScope& scope) const {
    int result;
    do {
      result = next.clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end_, nullptr);
    } while (result == EINTR && scope.cut_short_by_pause());
    return result == 0;
  }

  // The full seconds that are left, as sleep() returns them.
  unsigned int seconds_left() const {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const long left = end_.tv_sec - now.tv_sec - (end_.tv_nsec < now.tv_nsec ? 1 : 0);
    return left > 0 ? static_cast<unsigned int>(left) : 0;
  }

 private:
  static constexpr long kSecond = 1000000000;
  struct timespec end_;
};

}  // namespace

TAILBACK_EXPORT unsigned int sleep(unsigned int seconds) {
  CallScope scope(CALL_SITE, Function::sleep, seconds);
  const SleepEnd end(seconds, 0);
  const unsigned int left = next.sleep(seconds);
  // 0 may mean that the sleep was cut short in its last second.
  if (!scope.cut_short_by_pause()) return left;
  return end.sleep_on(scope) ? 0 : end.seconds_left();
}

TAILBACK_EXPORT int usleep(useconds_t useconds) {
  CallScope scope(CALL_SITE, Function::usleep, useconds);
  const SleepEnd end(useconds / 1000000, static_cast<long>(useconds % 1000000) * 1000);
  const int result = next.usleep(useconds);
  if (!scope.interrupted_by_pause(result)) return result;
  if (end.sleep_on(scope)) return 0;
  errno = EINTR;
  return -1;
}
