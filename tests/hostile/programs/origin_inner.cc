// A library that lies where only origin_outer.cc's path leads. Its constructor makes calls, and
// opens a further library.
#include <dlfcn.h>

#include "program.h"

static int constructed = 0;

extern "C" __attribute__((visibility("default"))) int only_in_inner(int number) {
  return number + constructed;
}

namespace {

__attribute__((constructor)) void construct() {
  hostile::Pipe working;
  char byte = 'a';
  const timespec moment = {0, 1000000};
  constructed = write(working.in(), &byte, 1) == 1 && read(working.out(), &byte, 1) == 1 &&
                nanosleep(&moment, nullptr) == 0;
  // Itself again: on no path but its opener's.
  constructed += dlopen("libm.so.6", RTLD_NOW) != nullptr;
  close(working.in());
  close(working.out());
}

__attribute__((destructor)) void destruct() {
  constructed = 0;
}

}  // namespace
