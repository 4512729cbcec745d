// Whether a program is compiled for ThreadSanitizer, and what can be known of its findings.
#pragma once

namespace tailback {

struct SanitizerRuntime {
  bool is_thread_sanitizer = false;  // the program starts ThreadSanitizer's runtime
  bool is_shared = false;            // the runtime is a shared library: a preload comes before it
  bool is_paired = false;            // the program holds the pairing library

  // Findings of others stand in the program's own output only.
  bool reports_unseen() const { return is_thread_sanitizer && !is_shared && !is_paired; }
};

// Of a native ELF file, by the names in it. A stripped program whose runtime is not shared may not
// be known for one. Never throws on what the file holds.
SanitizerRuntime read_sanitizer_runtime(int fd);

}  // namespace tailback
