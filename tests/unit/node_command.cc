#include "tests/unit/node_command.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace tailback {
namespace {

std::string output_of(const std::string& command) {
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string said;
  std::array<char, 256> piece{};
  while (std::fgets(piece.data(), piece.size(), pipe) != nullptr) said += piece.data();
  ::pclose(pipe);
  if (said.ends_with('\n')) said.pop_back();
  return said;
}

}  // namespace

std::string node_command(const std::string& version) {
  if (const char* const command = std::getenv(("TAILBACK_TEST_NODE_" + version).c_str()))
    return command;
  const std::string installed =
      std::string(TAILBACK_TEST_NODES) + "/node_modules/node" + version + "/bin/node";
  if (::access(installed.c_str(), X_OK) == 0) return installed;
  static const std::string command = output_of("command -v node");
  static const std::string found = command.empty() ? "" : output_of(command + " --version");
  return found.starts_with("v" + version + ".") ? command : "";
}

}  // namespace tailback
