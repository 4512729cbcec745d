#include "runtime/interpreters/python/task.h"

#include <algorithm>
#include <vector>

#include "runtime/interpreters/python/dict.h"
#include "runtime/interpreters/python/string.h"

namespace tailback {
namespace {

constexpr uint64_t kObjectType = 8;
constexpr uint64_t kModuleDict = 16;
constexpr size_t kMostModules = 20000;
constexpr size_t kMostNames = 1000;  // of a module
constexpr size_t kMostLoops = 64;
constexpr uint64_t kLongestName = 200;

struct TaskOffsets {
  uint64_t name = 0;
  uint64_t coroutine = 0;
  uint64_t frame = 0;  // in the coroutine: what points to its frame, or the frame itself
};

TaskOffsets offsets_of(const PythonLayout& layout) {
  return {layout.task_name, layout.task_coroutine, layout.coroutine_frame};
}

std::optional<std::string> text_at(RemoteMemory& memory, const PythonInterpreter& python,
                                   RemoteAddress address) {
  std::vector<std::byte> head(python.layout.string_ascii);
  if (!memory.read(address, head)) return std::nullopt;
  const auto form = python_string_form(python.layout, head);
  if (!form) return std::nullopt;
  std::vector<std::byte> characters(std::min(form->length, kLongestName) * form->width);
  if (!characters.empty() && !memory.read(address + form->data, characters)) return std::nullopt;
  return python_text(*form, characters, form->length > kLongestName);
}

// A name that nobody has asked for yet is its number.
std::optional<std::string> number_at(RemoteMemory& memory, RemoteAddress address) {
  constexpr uint64_t kTag = 16;  // from 3.12 on: sign in two bits, one, number of digits
  constexpr uint64_t kDigits = 24;
  constexpr uint64_t kOneDigit = 1 << 3;
  const auto tag = memory.value<uint64_t>(address + kTag);
  const auto digit = memory.value<uint32_t>(address + kDigits);
  if (!tag || !digit || (*tag & ~uint64_t{4}) != kOneDigit || *digit >= 1u << 30)
    return std::nullopt;
  return "Task-" + std::to_string(*digit);
}

// Whether the task's coroutine is one of the frames.
bool runs_there(RemoteMemory& memory, const PythonInterpreter& python, RemoteAddress task,
                const TaskOffsets& offsets, std::span<const RemoteAddress> frames) {
  const auto coroutine = memory.value<RemoteAddress>(task + offsets.coroutine);
  if (!coroutine || coroutine->value == 0) return false;
  std::optional<RemoteAddress> frame = *coroutine + offsets.frame;
  if (python.layout.frames == PythonFrames::kObjects) frame = memory.value<RemoteAddress>(*frame);
  return frame && std::find(frames.begin(), frames.end(), *frame) != frames.end();
}

std::optional<std::string> name_of(RemoteMemory& memory, const PythonInterpreter& python,
                                   RemoteAddress task, const TaskOffsets& offsets) {
  const auto name = memory.value<RemoteAddress>(task + offsets.name);
  if (!name) return std::nullopt;
  const auto type = memory.value<RemoteAddress>(*name + kObjectType);
  if (type == python.string_type) return text_at(memory, python, *name);
  if (type == python.int_type && python.layout.tagged_integers) return number_at(memory, *name);
  return std::nullopt;
}

}  // namespace

std::optional<RemoteAddress> find_running_tasks(RemoteMemory& memory,
                                                const PythonInterpreter& python) {
  if (python.layout.running_task_of_thread) return std::nullopt;
  const auto interpreter =
      memory.value<RemoteAddress>(python.runtime + python.layout.first_interpreter);
  if (!interpreter) return std::nullopt;
  const auto modules = memory.value<RemoteAddress>(*interpreter + python.layout.modules);
  if (!modules) return std::nullopt;
  const auto asyncio = python_dict_value(memory, python, *modules, "_asyncio", kMostModules);
  if (!asyncio) return std::nullopt;
  const auto names = memory.value<RemoteAddress>(*asyncio + kModuleDict);
  if (!names) return std::nullopt;
  return python_dict_value(memory, python, *names, "_current_tasks", kMostNames);
}

std::optional<std::string> read_task_name(RemoteMemory& memory, const PythonInterpreter& python,
                                          RemoteAddress running_tasks,
                                          std::span<const RemoteAddress> frames) {
  const TaskOffsets offsets = offsets_of(python.layout);
  const auto tasks = read_python_dict(memory, python, running_tasks, kMostLoops);
  if (!tasks) return std::nullopt;
  for (const PythonDictEntry& entry : *tasks) {
    if (runs_there(memory, python, entry.value, offsets, frames))
      return name_of(memory, python, entry.value, offsets);
  }
  return std::nullopt;
}

std::optional<std::string> read_task_name(RemoteMemory& memory, const PythonInterpreter& python,
                                          const AsyncioOffsets& asyncio, RemoteAddress thread_state,
                                          std::span<const RemoteAddress> frames) {
  const TaskOffsets offsets{asyncio.task_name, asyncio.task_coroutine,
                            python.layout.coroutine_frame};
  const auto task = memory.value<RemoteAddress>(thread_state + asyncio.running_task);
  if (!task || task->value == 0 || !runs_there(memory, python, *task, offsets, frames))
    return std::nullopt;
  return name_of(memory, python, *task, offsets);
}

}  // namespace tailback
