#include "runtime/interpreters/v8/finder.h"

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/interpreters/exported_symbols.h"
#include "runtime/values/frame.h"

namespace tailback {
namespace {

constexpr std::string_view kConstant = "v8dbg_";
constexpr size_t kMostConstants = 4096;
constexpr int32_t kHighestVersion = 1000;

// One mapping of each file that may hold the engine: the program, which lies below its libraries,
// and Debian's library of it.
std::vector<const Mapping*> candidates(const ModuleMap& modules) {
  std::vector<const Mapping*> found;
  for (const Mapping& mapping : modules.mappings()) {
    if (!mapping.is_file() || mapping.file_offset != 0) continue;
    if (found.empty() || file_name(mapping.path).starts_with("libnode.so"))
      found.push_back(&mapping);
  }
  return found;
}

}  // namespace

const V8Finder::Symbols& V8Finder::symbols_of(const ModuleFiles::Place& place) {
  const auto known = symbols_.find(place.key);
  if (known != symbols_.end()) return known->second;
  if (symbols_.size() >= kMostFiles) symbols_.clear();
  Symbols& symbols = symbols_[place.key];
  for_each_exported_symbol(*place.image, [&symbols](std::string_view name, uint64_t address) {
    if (name == "_ZN2v88internal7Version6major_E") symbols.major = address;
    if (name == "_ZN2v88internal7Version6minor_E") symbols.minor = address;
    if (name.starts_with(kConstant) && symbols.constants.size() < kMostConstants)
      symbols.constants.emplace(name.substr(kConstant.size()), address);
  });
  return symbols;
}

std::optional<V8Engine> V8Finder::find(int pid, const ModuleMap& modules, RemoteMemory& memory) {
  for (const Mapping* mapping : candidates(modules)) {
    const auto place = files_.locate(pid, modules, mapping->begin);
    if (!place) continue;
    const Symbols& symbols = symbols_of(*place);
    if (symbols.major == 0 || symbols.minor == 0) continue;
    V8Engine engine;
    const auto number = [&](uint64_t address) {
      const int32_t value = memory.value<int32_t>(RemoteAddress(place->bias + address)).value_or(0);
      return value >= 0 && value < kHighestVersion ? value : 0;
    };
    engine.version = {number(symbols.major), number(symbols.minor)};
    std::vector<int32_t> values(symbols.constants.size());
    std::vector<RemoteMemory::Piece> pieces;
    for (const auto& [name, address] : symbols.constants) {
      pieces.push_back({RemoteAddress(place->bias + address),
                        std::as_writable_bytes(std::span(&values[pieces.size()], 1))});
    }
    memory.read(pieces);
    V8Constants constants;
    size_t next = 0;
    for (const auto& [name, address] : symbols.constants) {
      if (pieces[next].done) constants.emplace(name, values[next]);
      ++next;
    }
    if (const auto layout = v8_layout(engine.version, constants)) {
      engine.layout = *layout;
      engine.constants = std::move(constants);
    } else {
      engine.unreadable =
          "V8 " + std::to_string(engine.version.major) + "." + std::to_string(engine.version.minor);
    }
    return engine;
  }
  return std::nullopt;
}

}  // namespace tailback
