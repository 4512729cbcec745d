// A part of the program that brings its own way into the kernel along, as statically linked
// libraries do.

#include "tests/integration/targets/static_part.h"

#include "tests/integration/targets/inline_system_call.h"

long static_part_read(int fd, void* buffer, unsigned long count) {
  long result = 0;
  // EXPECT stall on="static read" cause=ipc call=read object=pipe function=static_part_read
  INLINE_SYSTEM_CALL(result, SYS_read, fd, buffer, count, 0);
  return result;
}
