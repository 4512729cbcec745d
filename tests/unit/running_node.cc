#include "tests/unit/running_node.h"

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/kernel/kernel_view.h"

namespace tailback {
namespace {

std::vector<std::string> words_of(const std::string& command, const std::string& way,
                                  const std::vector<std::string>& flags) {
  std::vector<std::string> words = {command};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(TAILBACK_SOURCE_DIR "/tests/unit/targets/node_frames.js");
  words.push_back(way);
  return words;
}

}  // namespace

RunningNode::RunningNode(const std::string& command, const std::string& way,
                         const std::vector<std::string>& flags)
    : target_(words_of(command, way, flags)) {
  const auto stack = nlohmann::json::parse(target_.said_until("\n"), nullptr, false);
  if (!stack.is_object()) return;
  for (const auto& frame : stack["frames"]) {
    InterpretedFrame& added = frames_.emplace_back();
    if (frame["function"].is_string()) added.function = frame["function"];
    if (added.function.empty()) added.function = "<anonymous>";
    added.file = frame["file"];
    added.line = frame["line"];
  }
  // It blocks a moment after it has said so.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  modules_ = target_.read_modules();
}

std::vector<Snapshot> RunningNode::snapshots() const {
  std::vector<Snapshot> found;
  std::error_code error;
  const std::string tasks = "/proc/" + std::to_string(pid()) + "/task";
  for (const auto& entry : std::filesystem::directory_iterator(tasks, error)) {
    const int tid = std::stoi(entry.path().filename());
    const auto blocked = read_kernel_call(pid(), tid);
    if (!blocked) continue;
    Registers registers;
    registers.context.instruction_pointer = blocked->instruction_pointer;
    registers.context.stack_pointer = blocked->stack_pointer;
    registers.complete = false;
    registers.after_call = true;
    if (auto snapshot = take_snapshot(pid(), tid, registers, modules_))
      found.push_back(std::move(*snapshot));
  }
  return found;
}

}  // namespace tailback
