// Whether a stream's buffer is enough for an operation, so that it need not wait. Read without the
// stream's lock: at worst a call is recorded that does not wait, or the other way round.
#pragma once

#include <stdio.h>

#include "instrument/recorder/rules.h"

namespace tailback {

TAILBACK_INLINE bool has_input(const FILE* stream, size_t bytes) {
  return static_cast<size_t>(stream->_IO_read_end - stream->_IO_read_ptr) >= bytes;
}

// A line-buffered stream has no room in this sense: any character may end a line.
TAILBACK_INLINE bool has_room(const FILE* stream, size_t bytes) {
  return stream->_IO_write_end > stream->_IO_write_ptr &&
         static_cast<size_t>(stream->_IO_write_end - stream->_IO_write_ptr) >= bytes;
}

}  // namespace tailback
