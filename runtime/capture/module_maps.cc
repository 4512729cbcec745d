#include "runtime/capture/module_maps.h"

#include <utility>

namespace tailback {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds kAge{1000};
constexpr milliseconds kAgeOfGeneratedCode{50};
constexpr milliseconds kAgeOfMissingAddress{10};

}  // namespace

ModuleMaps::Map ModuleMaps::not_older_than(int pid, milliseconds age) {
  const auto now = std::chrono::steady_clock::now();
  Known& known = known_[pid];
  if (known.map && now - known.read <= age) return known.map;
  if (auto map = ModuleMap::read(pid); map && !map->mappings().empty()) {
    known.map = std::make_shared<const ModuleMap>(std::move(*map));
  } else if (!known.map) {
    known.map = std::make_shared<const ModuleMap>();
  }
  known.read = now;
  return known.map;
}

ModuleMaps::Map ModuleMaps::of(int pid) {
  Map map = not_older_than(pid, kAge);
  return map->has_generated_code() ? not_older_than(pid, kAgeOfGeneratedCode) : map;
}

ModuleMaps::Map ModuleMaps::with(int pid, RemoteAddress address) {
  Map map = of(pid);
  const bool knows = address.value == 0 || map->find(address) != nullptr;
  return knows ? map : not_older_than(pid, kAgeOfMissingAddress);
}

ModuleMaps::Map ModuleMaps::with_code(int pid, RemoteAddress address) {
  Map map = of(pid);
  return map->find(address) ? map : not_older_than(pid, milliseconds(0));
}

}  // namespace tailback
