// Where the text of ThreadSanitizer's reports is read (--thread-sanitizer-text).
#pragma once

#include <string>

#include "runtime/command/options.h"
#include "runtime/detectors/settings.h"

namespace tailback {

struct ThreadSanitizerText {
  SanitizerText read;
  std::string folder;   // made for it; empty: none was
  std::string options;  // what the command is to have in TSAN_OPTIONS; empty: what there is
};

// `tsan_options`: the variable's value, or a null pointer. A log that the user asks for there is
// read whether or not that was asked for. Throws LaunchError if there can be no file for it.
ThreadSanitizerText thread_sanitizer_text(const ObserverOptions& options, const char* tsan_options);

// Removes what was made, at the end of whoever is the last to use it.
class SanitizerTextFolder {
 public:
  explicit SanitizerTextFolder(const ThreadSanitizerText& text) : folder_(text.folder) {}
  SanitizerTextFolder(const SanitizerTextFolder&) = delete;
  SanitizerTextFolder& operator=(const SanitizerTextFolder&) = delete;
  ~SanitizerTextFolder();

 private:
  std::string folder_;
};

}  // namespace tailback
