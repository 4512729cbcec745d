#include "runtime/command/standard_output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tailback {

void say(const std::string& line) {
  std::fprintf(stderr, "tailback: %s\n", line.c_str());
}

bool print(std::string_view text, std::string_view what) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return true;
  }
  say("can't write " + std::string(what) + " to standard output: " + std::strerror(errno));
  return false;
}

}  // namespace tailback
