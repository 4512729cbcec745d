// The first value of each pointer of `next`: a stub that resolves all of them and jumps on with the
// arguments unchanged, whatever their number and types.
#pragma once

#include "instrument/recorder/next_definition.h"

extern "C" {
// The stubs, kFirstCallStubSize bytes each, in the order of `next`.
__attribute__((visibility("hidden"))) extern char tailback_first_call_stubs[];

// Resolves, and returns the address to jump to. Called by the stubs.
__attribute__((visibility("hidden"))) void* tailback_first_call(uint32_t index);
}

namespace tailback {

inline constexpr uint32_t kFirstCallStubSize = 16;

inline void* first_call_stub(uint32_t index) {
  return tailback_first_call_stubs + index * kFirstCallStubSize;
}

}  // namespace tailback
