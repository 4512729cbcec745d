#include "runtime/interpreters/v8_engine.h"

#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

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
  Elf* elf = place.image->elf();
  if (elf == nullptr) return symbols;
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_DYNSYM ||
        header.sh_entsize == 0)
      continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    const auto count =
        static_cast<int>(std::min<uint64_t>(header.sh_size / header.sh_entsize, 16 * 1024 * 1024));
    for (int i = 0; data != nullptr && i < count; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, i, &symbol) == nullptr) break;
      if (symbol.st_shndx == SHN_UNDEF) continue;
      const char* const text = elf_strptr(elf, header.sh_link, symbol.st_name);
      if (text == nullptr) continue;
      const std::string_view name = text;
      if (name == "_ZN2v88internal7Version6major_E") symbols.major = symbol.st_value;
      if (name == "_ZN2v88internal7Version6minor_E") symbols.minor = symbol.st_value;
      if (name.starts_with(kConstant) && symbols.constants.size() < kMostConstants)
        symbols.constants.emplace(name.substr(kConstant.size()), symbol.st_value);
    }
  }
  place.image->release_elf();
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
