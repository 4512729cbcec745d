// The lock of a stream: tried first, like all locks.
#include "instrument/recorder/call_scope.h"
#include "instrument/recorder/next_definition.h"

using namespace tailback;

#define FLOCKFILE(name)                                 \
  TAILBACK_EXPORT void name(FILE* stream) noexcept {    \
    if (next.ftrylockfile(stream) == 0) return;         \
    CallScope scope(CALL_SITE, Function::name, stream); \
    next.name(stream);                                  \
  }
FLOCKFILE(flockfile)
FLOCKFILE(_IO_flockfile)
