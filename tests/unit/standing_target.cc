#include "tests/unit/standing_target.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <utility>

namespace tailback {

StandingTarget::StandingTarget(std::vector<std::string> words, char* const* environment) {
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  if (::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environment) != 0)
    pid_ = -1;
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  lifeline_ = in[1];
  output_ = out[0];
}

StandingTarget::~StandingTarget() {
  end();
  if (output_ >= 0) ::close(output_);
}

std::string StandingTarget::said_until(std::string_view end) {
  std::string said;
  char piece[4096];
  ssize_t n = 0;
  while (!said.ends_with(end) && (n = ::read(output_, piece, sizeof piece)) > 0)
    said.append(piece, static_cast<size_t>(n));
  if (output_ >= 0) ::close(std::exchange(output_, -1));
  return said;
}

std::shared_ptr<const ModuleMap> StandingTarget::read_modules() const {
  auto map = ModuleMap::read(pid_);
  return map ? std::make_shared<const ModuleMap>(std::move(*map)) : nullptr;
}

void StandingTarget::end() {
  if (lifeline_ >= 0) ::close(std::exchange(lifeline_, -1));
  if (pid_ > 0) ::waitpid(std::exchange(pid_, -1), nullptr, 0);
}

}  // namespace tailback
