#include "tests/unit/running_node.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/kernel/kernel_view.h"

namespace tailback {

RunningNode::RunningNode(const std::string& command, const std::string& way,
                         const std::vector<std::string>& flags) {
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<std::string> words = {command};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(TAILBACK_SOURCE_DIR "/tests/unit/targets/node_frames.js");
  words.push_back(way);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  if (::posix_spawn(&pid_, command.c_str(), &actions, nullptr, arguments.data(), environ) != 0)
    pid_ = -1;
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
  const auto stack = nlohmann::json::parse(said, nullptr, false);
  if (!stack.is_object()) return;
  for (const auto& frame : stack["frames"]) {
    V8Frame& added = frames_.emplace_back();
    if (frame["function"].is_string()) added.function = frame["function"];
    if (added.function.empty()) added.function = "<anonymous>";
    added.file = frame["file"];
    added.line = frame["line"];
  }
  // It blocks a moment after it has said so.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  if (auto map = ModuleMap::read(pid_))
    modules_ = std::make_shared<const ModuleMap>(std::move(*map));
}

RunningNode::~RunningNode() {
  if (lifeline_ >= 0) ::close(lifeline_);
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
}

std::vector<Snapshot> RunningNode::snapshots() const {
  std::vector<Snapshot> found;
  std::error_code error;
  const std::string tasks = "/proc/" + std::to_string(pid_) + "/task";
  for (const auto& entry : std::filesystem::directory_iterator(tasks, error)) {
    const int tid = std::stoi(entry.path().filename());
    const auto blocked = read_kernel_call(pid_, tid);
    if (!blocked) continue;
    Registers registers;
    registers.context.instruction_pointer = blocked->instruction_pointer;
    registers.context.stack_pointer = blocked->stack_pointer;
    registers.complete = false;
    registers.after_call = true;
    if (auto snapshot = take_snapshot(pid_, tid, registers, modules_))
      found.push_back(std::move(*snapshot));
  }
  return found;
}

}  // namespace tailback
