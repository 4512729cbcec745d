// printf, scanf and syslog: variadic, so each hands its arguments on to its twin that takes a list.
// First, as it makes libc declare each symbol as itself.
#include "instrument/recorder/libc_declarations.h"

#include <stdarg.h>

#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/next_definition.h"

using namespace tailback;

#define EXPAND(...) __VA_ARGS__

// NAME(parameters, format, ...) → next.TWIN(arguments, list)
#define FORMATTED(result, name, twin, parameters, arguments, last) \
  TAILBACK_EXPORT result name(EXPAND parameters, ...) {            \
    CallScope scope(CALL_SITE, Function::name, EXPAND arguments);  \
    va_list list;                                                  \
    va_start(list, last);                                          \
    const result value = next.twin(EXPAND arguments, list);        \
    va_end(list);                                                  \
    return value;                                                  \
  }

#define STREAM_FORMATTED(name, twin, Character) \
  FORMATTED(int, name, twin, (FILE * stream, const Character* format), (stream, format), format)
#define PLAIN_FORMATTED(name, twin, Character) \
  FORMATTED(int, name, twin, (const Character* format), (format), format)
#define STREAM_CHECKED(name, twin, Character)                                    \
  FORMATTED(int, name, twin, (FILE * stream, int flag, const Character* format), \
            (stream, flag, format), format)
#define PLAIN_CHECKED(name, twin, Character) \
  FORMATTED(int, name, twin, (int flag, const Character* format), (flag, format), format)

STREAM_FORMATTED(fprintf, vfprintf, char)
STREAM_FORMATTED(_IO_fprintf, vfprintf, char)
STREAM_CHECKED(__fprintf_chk, __vfprintf_chk, char)
PLAIN_FORMATTED(printf, vprintf, char)
PLAIN_FORMATTED(_IO_printf, vprintf, char)
PLAIN_CHECKED(__printf_chk, __vprintf_chk, char)
FORMATTED(int, dprintf, vdprintf, (int fd, const char* format), (fd, format), format)
FORMATTED(int, __dprintf_chk, __vdprintf_chk, (int fd, int flag, const char* format),
          (fd, flag, format), format)
STREAM_FORMATTED(fscanf, vfscanf, char)
STREAM_FORMATTED(__isoc99_fscanf, __isoc99_vfscanf, char)
STREAM_FORMATTED(__isoc23_fscanf, __isoc23_vfscanf, char)
PLAIN_FORMATTED(scanf, vscanf, char)
PLAIN_FORMATTED(__isoc99_scanf, __isoc99_vscanf, char)
PLAIN_FORMATTED(__isoc23_scanf, __isoc23_vscanf, char)

STREAM_FORMATTED(fwprintf, vfwprintf, wchar_t)
STREAM_CHECKED(__fwprintf_chk, __vfwprintf_chk, wchar_t)
PLAIN_FORMATTED(wprintf, vwprintf, wchar_t)
PLAIN_CHECKED(__wprintf_chk, __vwprintf_chk, wchar_t)
STREAM_FORMATTED(fwscanf, vfwscanf, wchar_t)
STREAM_FORMATTED(__isoc99_fwscanf, __isoc99_vfwscanf, wchar_t)
STREAM_FORMATTED(__isoc23_fwscanf, __isoc23_vfwscanf, wchar_t)
PLAIN_FORMATTED(wscanf, vwscanf, wchar_t)
PLAIN_FORMATTED(__isoc99_wscanf, __isoc99_vwscanf, wchar_t)
PLAIN_FORMATTED(__isoc23_wscanf, __isoc23_vwscanf, wchar_t)

TAILBACK_EXPORT void syslog(int priority, const char* format, ...) {
  CallScope scope(CALL_SITE, Function::syslog, priority, format);
  va_list list;
  va_start(list, format);
  next.vsyslog(priority, format, list);
  va_end(list);
}

TAILBACK_EXPORT void __syslog_chk(int priority, int flag, const char* format, ...) {
  CallScope scope(CALL_SITE, Function::__syslog_chk, priority, flag, format);
  va_list list;
  va_start(list, format);
  next.__vsyslog_chk(priority, flag, format, list);
  va_end(list);
}
