#include "tests/unit/running_python.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace tailback {
namespace {

namespace fs = std::filesystem;

std::string pyenv_command(const std::string& version) {
  const char* const root = std::getenv("PYENV_ROOT");
  const char* const home = std::getenv("HOME");
  const fs::path versions = root != nullptr
                                ? fs::path(root) / "versions"
                                : fs::path(home != nullptr ? home : "/root") / ".pyenv/versions";
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(versions, error)) {
    const fs::path command = entry.path() / "bin" / ("python" + version);
    if (entry.path().filename().string().starts_with(version + ".") &&
        ::access(command.c_str(), X_OK) == 0)
      return command;
  }
  return {};
}

std::string text_of_digits(const std::string& digits) {
  std::string text;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    text += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return text;
}

}  // namespace

std::string python_command(const std::string& version) {
  std::string variable = "TAILBACK_TEST_PYTHON_" + version;
  variable[variable.find('.')] = '_';
  if (const char* const command = std::getenv(variable.c_str())) return command;
  for (const char* folder : {"/usr/bin/", "/usr/local/bin/"}) {
    const std::string command = folder + ("python" + version);
    if (::access(command.c_str(), X_OK) == 0) return command;
  }
  return pyenv_command(version);
}

RunningPython::RunningPython(const std::string& command)
    : target_({command, TAILBACK_SOURCE_DIR "/tests/unit/targets/python_frames.py"}) {
  const auto stacks = nlohmann::json::parse(target_.said_until("\n"), nullptr, false);
  if (stacks.is_discarded()) return;
  for (const auto& stack : stacks) {
    PythonImage::Thread& thread = threads_.emplace_back();
    thread.tid = stack["tid"];
    for (const auto& frame : stack["frames"]) {
      InterpretedFrame& added = thread.frames.emplace_back();
      added.function = frame[0];
      added.file = text_of_digits(frame[1]);
      added.line = frame[2];
    }
  }
  modules_ = target_.read_modules();
}

}  // namespace tailback
