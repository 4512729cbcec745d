// Finding CPython in a process: which module it is, which version, where its state lies.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/capture/module_files.h"
#include "runtime/capture/module_map.h"
#include "runtime/capture/remote_memory.h"
#include "runtime/interpreters/python/eval_loop.h"
#include "runtime/interpreters/python/layout.h"

namespace tailback {

struct PythonInterpreter {
  PythonVersion version;
  PythonLayout layout;
  RemoteAddress runtime;  // _PyRuntime
  // The types, by which objects are told from what is none.
  RemoteAddress code_type;
  RemoteAddress frame_type;
  RemoteAddress string_type;
  RemoteAddress bytes_type;
  RemoteAddress dict_type;
  RemoteAddress int_type;
  std::string module;                // path of the file
  std::vector<CodeRange> eval_loop;  // as eval_loop_ranges() gives it
  // Not empty: why its frames can't be read ("a debug build of Python 3.11"); only the module holds
  // then.
  std::string unreadable;
};

// Where asyncio keeps what of its tasks, as it says itself from 3.14 on. Offsets in bytes.
struct AsyncioOffsets {
  uint64_t task_name = 0;
  uint64_t task_coroutine = 0;
  uint64_t running_task = 0;  // in a thread's state: what points to the task that it runs
};

// Finds interpreters; keeps what it has learnt of each file. For one thread.
class PythonFinder {
 public:
  // Nothing if the process runs none. `memory` is the process's.
  std::optional<PythonInterpreter> find(int pid, const ModuleMap& modules, RemoteMemory& memory);

  // What the asyncio of this interpreter says of itself. Nothing if it is not loaded, or an older
  // one.
  std::optional<AsyncioOffsets> find_asyncio(int pid, const ModuleMap& modules,
                                             RemoteMemory& memory, const PythonInterpreter& python);

 private:
  // Addresses of symbols, as the file has them; 0: there is none.
  struct Symbols {
    uint64_t runtime = 0;
    uint64_t version = 0;
    uint64_t code_type = 0;
    uint64_t frame_type = 0;
    uint64_t string_type = 0;
    uint64_t bytes_type = 0;
    uint64_t dict_type = 0;
    uint64_t int_type = 0;
    uint64_t eval_loop = 0;
    bool debug = false;  // has what only debug builds have
    std::vector<CodeRange> ranges;
  };
  static constexpr size_t kMostFiles = 256;

  const Symbols& symbols_of(const ModuleFiles::Place& place);

  ModuleFiles files_;
  std::map<ModuleFiles::Key, Symbols> symbols_;
};

}  // namespace tailback
