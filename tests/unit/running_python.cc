#include "tests/unit/running_python.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
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

RunningPython::RunningPython(const std::string& command) {
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::string name = command;
  std::string script = TAILBACK_SOURCE_DIR "/tests/unit/targets/python_frames.py";
  char* arguments[] = {name.data(), script.data(), nullptr};
  if (::posix_spawn(&pid_, command.c_str(), &actions, nullptr, arguments, environ) != 0) pid_ = -1;
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  lifeline_ = in[1];
  std::string said;
  char piece[4096];
  ssize_t n = 0;
  while (!said.ends_with('\n') && (n = ::read(out[0], piece, sizeof piece)) > 0)
    said.append(piece, static_cast<size_t>(n));
  ::close(out[0]);
  const auto stacks = nlohmann::json::parse(said, nullptr, false);
  if (stacks.is_discarded()) return;
  for (const auto& stack : stacks) {
    PythonImage::Thread& thread = threads_.emplace_back();
    thread.tid = stack["tid"];
    for (const auto& frame : stack["frames"])
      thread.frames.push_back({frame[0], text_of_digits(frame[1]), frame[2], false});
  }
  if (auto map = ModuleMap::read(pid_))
    modules_ = std::make_shared<const ModuleMap>(std::move(*map));
}

RunningPython::~RunningPython() {
  if (lifeline_ >= 0) ::close(lifeline_);
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
}

}  // namespace tailback
