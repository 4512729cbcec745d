#include "runtime/sampling/process_table.h"

namespace tailback {

void ProcessTable::forget(int pid) {
  modules_.erase(pid);
  interpreters_.forget(pid);
}

std::shared_ptr<const ModuleMap> ProcessTable::modules(int pid, std::chrono::milliseconds max_age) {
  const auto now = std::chrono::steady_clock::now();
  CachedModules& cached = modules_[pid];
  if (!cached.map || now - cached.read > max_age) {
    if (auto map = ModuleMap::read(pid)) {
      cached = {std::make_shared<const ModuleMap>(std::move(*map)), now};
    } else if (!cached.map) {
      cached = {std::make_shared<const ModuleMap>(), now};
    }
  }
  return cached.map;
}

}  // namespace tailback
