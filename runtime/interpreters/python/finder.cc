#include "runtime/interpreters/python/finder.h"

#include <gelf.h>
#include <libelf.h>

#include <array>
#include <span>
#include <string_view>

#include "runtime/interpreters/exported_symbols.h"
#include "runtime/interpreters/python/module_name.h"

namespace tailback {
namespace {

std::string words_for(PythonVersion version) {
  return "Python " + text_of(version);
}

// One mapping of each file that may be an interpreter: by its name, or the program itself.
std::vector<const Mapping*> candidates(const ModuleMap& modules) {
  std::vector<const Mapping*> found;
  const Mapping* program = nullptr;  // it lies below its libraries
  for (const Mapping& mapping : modules.mappings()) {
    if (!mapping.is_file() || mapping.file_offset != 0) continue;
    if (program == nullptr) program = &mapping;
    if (python_module_name(mapping.path)) found.push_back(&mapping);
  }
  if (program != nullptr && !python_module_name(program->path)) found.push_back(program);
  return found;
}

// Where the section is loaded, as the file has it; 0: there is none.
uint64_t section_address(Elf* elf, std::string_view name) {
  size_t names = 0;
  if (elf == nullptr || elf_getshdrstrndx(elf, &names) != 0) return 0;
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    const char* const text = elf_strptr(elf, names, header.sh_name);
    if (text != nullptr && name == text) return header.sh_addr;
  }
  return 0;
}

}  // namespace

const PythonFinder::Symbols& PythonFinder::symbols_of(const ModuleFiles::Place& place) {
  const auto known = symbols_.find(place.key);
  if (known != symbols_.end()) return known->second;
  if (symbols_.size() >= kMostFiles) symbols_.clear();
  Symbols& symbols = symbols_[place.key];
  for_each_exported_symbol(*place.image, [&symbols](std::string_view name, uint64_t address) {
    if (!name.starts_with("Py") && !name.starts_with("_Py")) return;
    if (name == "_PyRuntime") symbols.runtime = address;
    if (name == "Py_Version") symbols.version = address;
    if (name == "PyCode_Type") symbols.code_type = address;
    if (name == "PyFrame_Type") symbols.frame_type = address;
    if (name == "PyUnicode_Type") symbols.string_type = address;
    if (name == "PyBytes_Type") symbols.bytes_type = address;
    if (name == "PyDict_Type") symbols.dict_type = address;
    if (name == "PyLong_Type") symbols.int_type = address;
    if (name == "_PyEval_EvalFrameDefault") symbols.eval_loop = address;
    if (name == "_Py_NegativeRefcount" || name == "_Py_RefTotal") symbols.debug = true;
  });
  if (symbols.eval_loop != 0) symbols.ranges = eval_loop_ranges(*place.image, symbols.eval_loop);
  return symbols;
}

std::optional<PythonInterpreter> PythonFinder::find(int pid, const ModuleMap& modules,
                                                    RemoteMemory& memory) {
  for (const Mapping* mapping : candidates(modules)) {
    const auto place = files_.locate(pid, modules, mapping->begin);
    if (!place) continue;
    const Symbols& symbols = symbols_of(*place);
    if (symbols.code_type == 0) continue;
    PythonInterpreter python;
    python.module = mapping->path;
    python.eval_loop = symbols.ranges;
    const auto at = [&](uint64_t address) { return RemoteAddress(place->bias + address); };
    python.runtime = at(symbols.runtime);
    python.code_type = at(symbols.code_type);
    python.frame_type = at(symbols.frame_type);
    python.string_type = at(symbols.string_type);
    python.bytes_type = at(symbols.bytes_type);
    python.dict_type = at(symbols.dict_type);
    python.int_type = at(symbols.int_type);

    const auto named = python_module_name(mapping->path);
    bool is_final = true;
    if (symbols.version != 0) {
      const uint32_t hex = memory.value<uint32_t>(at(symbols.version)).value_or(0);
      python.version = {static_cast<int>(hex >> 24), static_cast<int>(hex >> 16 & 0xff)};
      const uint32_t level = hex >> 4 & 0xf;
      is_final = level >= 0xc;  // a release candidate has the final layout
    } else if (named) {
      python.version = named->version;
    }
    if (python.version == PythonVersion{}) {
      python.unreadable = "a Python whose version is not known";
    } else if (python_release(python.version) == nullptr || symbols.runtime == 0) {
      python.unreadable = words_for(python.version);
    } else if (!is_final) {
      python.unreadable = "a preview of " + words_for(python.version);
    } else if (symbols.debug || (named && named->debug)) {
      python.unreadable = "a debug build of " + words_for(python.version);
    } else if ((named && named->free_threaded) ||
               (python_release(python.version)->words != nullptr &&
                is_free_threaded(memory, python.runtime))) {
      python.unreadable = "a free-threaded build of " + words_for(python.version);
    } else if (const auto layout = python_layout(python.version, memory, python.runtime)) {
      python.layout = *layout;
    } else {
      python.unreadable = words_for(python.version) + ", whose offsets make no sense";
    }
    return python;
  }
  return std::nullopt;
}

std::optional<AsyncioOffsets> PythonFinder::find_asyncio(int pid, const ModuleMap& modules,
                                                         RemoteMemory& memory,
                                                         const PythonInterpreter& python) {
  if (!python.layout.running_task_of_thread) return std::nullopt;
  for (const Mapping& mapping : modules.mappings()) {
    // Some builds have the module within the interpreter.
    const bool may_have_it =
        mapping.path == python.module || file_name(mapping.path).starts_with("_asyncio.");
    if (!may_have_it || !mapping.is_file() || mapping.file_offset != 0) continue;
    const auto place = files_.locate(pid, modules, mapping.begin);
    const auto section = place ? section_address(place->image->elf(), ".AsyncioDebug") : 0;
    if (section == 0) continue;
    // task: size, name, awaited_by, is_task, awaited_by_is_set, coro, node; of the interpreter:
    // size, tasks_head; of the thread: size, running_loop, running_task, tasks_head.
    std::array<uint64_t, 13> words{};
    const RemoteAddress address(place->bias + section);
    if (!memory.read(address, std::as_writable_bytes(std::span(words)))) continue;
    const AsyncioOffsets offsets{words[1], words[5], words[11]};
    const uint64_t task_size = words[0];
    const uint64_t thread_size = words[9];
    constexpr uint64_t kMost = 65536;
    if (task_size > kMost || thread_size > kMost || offsets.task_name >= task_size ||
        offsets.task_coroutine >= task_size || offsets.running_task >= thread_size)
      continue;
    return offsets;
  }
  return std::nullopt;
}

}  // namespace tailback
