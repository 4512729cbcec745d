#include "runtime/command/thread_sanitizer_text.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "runtime/launch/launch_error.h"
#include "runtime/thread_sanitizer/report_logs.h"

namespace tailback {

ThreadSanitizerText thread_sanitizer_text(const ObserverOptions& options,
                                          const char* tsan_options) {
  const std::string given = tsan_options != nullptr ? tsan_options : "";
  ThreadSanitizerText text;
  text.read.log_path = log_path_in(given);
  if (!text.read.log_path.empty()) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(text.read.log_path, error);
    if (!error) text.read.log_path = absolute.string();
    return text;
  }
  if (!options.thread_sanitizer_text) return text;
  std::error_code error;
  std::string folder = std::filesystem::temp_directory_path(error).string();
  if (error) folder = "/tmp";
  folder += "/tailback-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    throw LaunchError(kTailbackFailed, "--thread-sanitizer-text: no folder for the text in " +
                                           folder.substr(0, folder.rfind('/')) + ": " +
                                           std::strerror(errno) +
                                           "; set TMPDIR to one that can be written to");
  }
  // What root starts may go on as somebody else, and has to write there all the same.
  if (geteuid() == 0)
    chmod(folder.c_str(), S_ISVTX | S_IRWXU | S_IWGRP | S_IXGRP | S_IWOTH | S_IXOTH);
  text.folder = folder;
  text.read.log_path = folder + "/report";
  text.read.is_ours = true;
  // Of an option that is given twice the later counts.
  text.options = given + (given.empty() ? "" : ":") + "log_path='" + text.read.log_path + "'";
  return text;
}

SanitizerTextFolder::~SanitizerTextFolder() {
  if (folder_.empty()) return;
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

}  // namespace tailback
