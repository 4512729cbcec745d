// Interceptors of the sleeps. A hold that hits a thread on its way into a sleep ends it early with
// EINTR: what is left of it is slept before the program hears of it.
#include <time.h>

#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/next_definition.h"

using namespace tailback;

TAILBACK_EXPORT int nanosleep(const struct timespec* duration, struct timespec* remaining) {
  CallScope scope(CALL_SITE, Function::nanosleep, duration, remaining);
  struct timespec left;
  int result = next.nanosleep(duration, &left);
  while (scope.interrupted_by_hold(result)) {
    const struct timespec rest = left;
    result = next.nanosleep(&rest, &left);
  }
  if (result == -1 && errno == EINTR && remaining) *remaining = left;
  return result;
}

TAILBACK_EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec* time,
                                    struct timespec* remaining) {
  CallScope scope(CALL_SITE, Function::clock_nanosleep, clock, flags, time, remaining);
  const bool relative = (flags & TIMER_ABSTIME) == 0;
  struct timespec left;
  int result = next.clock_nanosleep(clock, flags, time, relative ? &left : remaining);
  while (result == EINTR && scope.held_meanwhile()) {
    const struct timespec rest = relative ? left : *time;
    result = next.clock_nanosleep(clock, flags, &rest, relative ? &left : remaining);
    if (result == EINTR) break;  // a second interruption is somebody else's
  }
  if (result == EINTR && relative && remaining) *remaining = left;
  return result;
}

TAILBACK_EXPORT int thrd_sleep(const struct timespec* duration, struct timespec* remaining) {
  CallScope scope(CALL_SITE, Function::thrd_sleep, duration, remaining);
  struct timespec left;
  int result = next.thrd_sleep(duration, &left);
  if (result == -1 && scope.held_meanwhile()) {
    const struct timespec rest = left;
    result = next.thrd_sleep(&rest, &left);
  }
  if (result == -1 && remaining) *remaining = left;
  return result;
}

namespace {

// Sleeps until `seconds` and `nanoseconds` after `begin`; how a sleep that a hold cut short goes
// on. Returns false if another signal ends it.
bool sleep_on(const CallScope& scope, const struct timespec& begin, long seconds,
              long nanoseconds) {
  struct timespec end = {begin.tv_sec + seconds, begin.tv_nsec + nanoseconds};
  end.tv_sec += end.tv_nsec / 1000000000;
  end.tv_nsec %= 1000000000;
  (void)scope;
  return next.clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) == 0;
}

}  // namespace

TAILBACK_EXPORT unsigned int sleep(unsigned int seconds) {
  CallScope scope(CALL_SITE, Function::sleep, seconds);
  struct timespec begin = {0, 0};
  if (scope.record()) clock_gettime(CLOCK_MONOTONIC, &begin);
  const unsigned int left = next.sleep(seconds);
  if (left != 0 && scope.held_meanwhile() && sleep_on(scope, begin, seconds, 0)) return 0;
  return left;
}

TAILBACK_EXPORT int usleep(useconds_t useconds) {
  CallScope scope(CALL_SITE, Function::usleep, useconds);
  struct timespec begin = {0, 0};
  if (scope.record()) clock_gettime(CLOCK_MONOTONIC, &begin);
  const int result = next.usleep(useconds);
  if (scope.interrupted_by_hold(result) &&
      sleep_on(scope, begin, useconds / 1000000, static_cast<long>(useconds % 1000000) * 1000)) {
    return 0;
  }
  return result;
}
