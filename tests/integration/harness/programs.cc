#include "tests/integration/harness/programs.h"

#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string_view>

namespace tailback::test {

std::filesystem::path tailback_binary() {
  return TAILBACK_TEST_BINARY;
}

std::filesystem::path recorder_library() {
  return TAILBACK_TEST_RECORDER;
}

std::filesystem::path built_program(const std::string& name) {
  return std::filesystem::path(TAILBACK_TEST_PROGRAMS) / name;
}

std::filesystem::path source_file(const std::string& path) {
  return std::filesystem::path(TAILBACK_TEST_SOURCES) / path;
}

std::optional<std::filesystem::path> find_program(const std::string& name) {
  const char* path = getenv("PATH");
  std::istringstream directories(std::string(path != nullptr ? path : "") + ":/usr/sbin:/sbin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    const std::filesystem::path candidate = std::filesystem::path(directory) / name;
    if (!directory.empty() && access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  return std::nullopt;
}

bool system_calls_are_filtered() {
  std::ifstream file("/proc/self/status");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str().find("\nSeccomp:\t0") == std::string::npos;
}

bool long_tests() {
  const char* value = getenv("TAILBACK_TEST_LONG");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace tailback::test
