// Lets ThreadSanitizer see who called an interceptor that does not end with a jump: where its
// runtime is a shared library, its own interceptors come after the recorder's and take the recorder
// for the program. This reports the call to it as instrumented code does.
#pragma once

#include <stdint.h>

#include "instrument/recorder/thread_state.h"

extern "C" {
__attribute__((weak)) void __tsan_func_entry(void* caller);
__attribute__((weak)) void __tsan_func_exit();
}

namespace tailback {

// Does nothing on threads that ThreadSanitizer may not know (threads.cc).
class SanitizerFrame {
 public:
  TAILBACK_INLINE explicit SanitizerFrame(uint64_t call_site)
      : is_open_(__builtin_expect(current_thread.is_sanitized, 0)) {
    if (__builtin_expect(is_open_, 0)) __tsan_func_entry(reinterpret_cast<void*>(call_site));
  }
  SanitizerFrame(const SanitizerFrame&) = delete;
  SanitizerFrame& operator=(const SanitizerFrame&) = delete;
  TAILBACK_INLINE ~SanitizerFrame() {
    if (__builtin_expect(is_open_, 0)) __tsan_func_exit();
  }

 private:
  bool is_open_;
};

}  // namespace tailback
