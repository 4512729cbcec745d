// fcntl and ioctl: variadic, with one argument or none. libc reads one whatever the command is, and
// so do these.
#include <stdarg.h>

#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/next_definition.h"

using namespace tailback;

namespace {

// The commands that wait: for a lock, or until other processes release a lease.
constexpr bool may_wait(int command) {
  return command == F_SETLKW || command == F_OFD_SETLKW || command == F_SETLEASE;
}

}  // namespace

#define FCNTL(name)                                                    \
  TAILBACK_EXPORT int name(int fd, int command, ...) {                 \
    va_list list;                                                      \
    va_start(list, command);                                           \
    void* const argument = va_arg(list, void*);                        \
    va_end(list);                                                      \
    if (!may_wait(command)) return next.name(fd, command, argument);   \
    CallScope scope(CALL_SITE, Function::name, fd, command, argument); \
    return next.name(fd, command, argument);                           \
  }
FCNTL(fcntl)
FCNTL(fcntl64)
FCNTL(__fcntl)

TAILBACK_EXPORT int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list list;
  va_start(list, request);
  void* const argument = va_arg(list, void*);
  va_end(list);
  CallScope scope(CALL_SITE, Function::ioctl, fd, request, argument);
  return next.ioctl(fd, request, argument);
}
