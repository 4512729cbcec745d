// Finding V8 in a process: which module it is, which version, and what it says of its layout.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "runtime/capture/module_files.h"
#include "runtime/capture/module_map.h"
#include "runtime/capture/remote_memory.h"
#include "runtime/interpreters/v8/layout.h"

namespace tailback {

struct V8Engine {
  V8Version version;
  V8Layout layout;
  V8Constants constants;  // from which the layout was made
  // Not empty: why its frames can't be read ("V8 14.1"); nothing but this holds then.
  std::string unreadable;
};

// Finds engines; keeps what it has learnt of each file. For one thread.
class V8Finder {
 public:
  // Nothing if the process runs none: neither its program nor a libnode.so has it. `memory` is the
  // process's.
  std::optional<V8Engine> find(int pid, const ModuleMap& modules, RemoteMemory& memory);

 private:
  // Addresses of variables, as the file has them; 0: there is none.
  struct Symbols {
    uint64_t major = 0;
    uint64_t minor = 0;
    std::map<std::string, uint64_t> constants;  // by the name without "v8dbg_"
  };
  static constexpr size_t kMostFiles = 256;

  const Symbols& symbols_of(const ModuleFiles::Place& place);

  ModuleFiles files_;
  std::map<ModuleFiles::Key, Symbols> symbols_;
};

}  // namespace tailback
