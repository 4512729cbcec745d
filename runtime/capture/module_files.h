// The ELF files behind a process's mappings, each opened once: a file mapped under several names,
// or by many processes, is one module (device and inode tell). For one thread.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "runtime/capture/module_image.h"
#include "runtime/capture/module_map.h"

namespace tailback {

class ModuleFiles {
 public:
  // What tells modules apart, for caches of what was learnt of them.
  struct Key {
    uint64_t device = 0;
    uint64_t inode = 0;
    int pid = 0;  // not 0 where the bytes are that process's alone
    auto operator<=>(const Key&) const = default;
  };

  struct Place {
    Key key;
    std::shared_ptr<ModuleImage> image;
    const Mapping* mapping = nullptr;  // of the module's file; lives as long as the map
    uint64_t bias = 0;                 // address in memory less address in the file
    uint64_t address = 0;              // in the file
  };

  // The module that holds the address, its .bss included. Nothing for anonymous memory and for
  // files that are no ELF files or can't be opened.
  //
  // The file is looked for as the target sees it (/proc/PID/root), by its mapping
  // (/proc/PID/map_files), as the target's executable, and under the same path here; it must be the
  // very file that is mapped. If none is (removed, replaced, out of reach), the module is read from
  // the process's memory: enough to unwind, without symbols.
  std::optional<Place> locate(int pid, const ModuleMap& modules, RemoteAddress address);

 private:
  struct Entry {
    std::shared_ptr<ModuleImage> image;  // nullptr: this process's file was tried in vain
    uint64_t used = 0;
  };
  using Entries = std::map<Key, Entry>;
  static constexpr size_t kMostFiles = 192;  // each may hold a descriptor

  Entries::iterator find(int pid, const ModuleMap& modules, const Mapping& mapping);
  Entries::iterator open(int pid, const ModuleMap& modules, const Mapping& mapping);

  Entries entries_;
  uint64_t clock_ = 0;
};

}  // namespace tailback
