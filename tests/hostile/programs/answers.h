// Prints what a call answered, and the errno that it left.
#pragma once

#include <concepts>

#include "program.h"

namespace hostile {

// A value that no call sets: it shows that errno was left alone.
constexpr int kUntouched = 77;

template <std::integral Number>
void report(const char* what, Number result) {
  const int error = errno;
  say("%s = %ld, errno %d\n", what, static_cast<long>(result), error);
}

inline void report(const char* what, const void* result) {
  const int error = errno;
  say("%s = %s, errno %d\n", what, result ? "something" : "nothing", error);
}

}  // namespace hostile

#define REPORT(call)              \
  do {                            \
    errno = hostile::kUntouched;  \
    hostile::report(#call, call); \
  } while (0)
