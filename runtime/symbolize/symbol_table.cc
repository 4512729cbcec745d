#include "runtime/symbolize/symbol_table.h"

#include <gelf.h>

#include <algorithm>
#include <limits>
#include <tuple>

namespace tailback {
namespace {

constexpr size_t kLongestName = 64 * 1024;
constexpr size_t kMostNameBytes = 1u << 30;
// How many symbols that begin nearer are looked through for one that covers an address: labels
// within a function have symbols too.
constexpr size_t kNested = 32;

// Typed before untyped; then the name people use: `read` before `__read` before `__GI___read`.
uint32_t rank_of(const GElf_Sym& symbol, std::string_view name) {
  const uint32_t untyped = GELF_ST_TYPE(symbol.st_info) == STT_NOTYPE ? 1 : 0;
  const size_t underscores =
      std::min<size_t>(std::min(name.find_first_not_of('_'), name.size()), 15);
  uint32_t binding = 2;
  if (GELF_ST_BIND(symbol.st_info) == STB_WEAK) binding = 1;
  if (GELF_ST_BIND(symbol.st_info) == STB_GLOBAL) binding = 0;
  const auto length = static_cast<uint32_t>(std::min<size_t>(name.size(), 0xffff));
  return untyped << 24 | static_cast<uint32_t>(underscores) << 20 | binding << 16 | length;
}

void read_section(Elf* elf, Elf_Scn* section, const GElf_Shdr& header, SymbolTable& functions,
                  SymbolTable& variables) {
  Elf_Data* data = elf_getdata(section, nullptr);
  if (data == nullptr || header.sh_entsize == 0) return;
  const size_t count =
      std::min<size_t>(data->d_size / sizeof(Elf64_Sym), std::numeric_limits<int>::max());
  for (size_t i = 0; i < count; ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
    const int type = GELF_ST_TYPE(symbol.st_info);
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS || symbol.st_value == 0 ||
        type == STT_SECTION || type == STT_FILE || type == STT_TLS)
      continue;
    const char* text = elf_strptr(elf, header.sh_link, symbol.st_name);
    if (text == nullptr) continue;
    std::string_view name(text);
    name = name.substr(0, std::min(name.find('@'), kLongestName));  // a version follows an @
    if (name.empty() || name.front() == '$' || name.starts_with(".L")) continue;

    GElf_Shdr home{};
    uint64_t limit = symbol.st_value + symbol.st_size;
    bool code = type == STT_FUNC || type == STT_GNU_IFUNC;
    if (symbol.st_shndx < SHN_LORESERVE &&
        gelf_getshdr(elf_getscn(elf, symbol.st_shndx), &home) != nullptr) {
      if ((home.sh_flags & SHF_ALLOC) == 0) continue;
      limit = home.sh_addr + home.sh_size;
      if (type == STT_NOTYPE) code = (home.sh_flags & SHF_EXECINSTR) != 0;
    }
    SymbolTable& table = code ? functions : variables;
    const uint32_t rank = rank_of(symbol, name);
    if (symbol.st_size != 0)
      table.add(symbol.st_value, symbol.st_size, name, rank);
    else if (limit > symbol.st_value)
      table.add_open(symbol.st_value, limit, name, rank);
  }
}

}  // namespace

void SymbolTable::add(uint64_t begin, uint64_t size, std::string_view name, uint32_t rank) {
  added_.push_back({begin, size, name, rank, false});
}

void SymbolTable::add_open(uint64_t begin, uint64_t limit, std::string_view name, uint32_t rank) {
  added_.push_back({begin, limit - begin, name, rank, true});
}

void SymbolTable::finish() {
  std::sort(added_.begin(), added_.end(), [](const Added& a, const Added& b) {
    return std::tie(a.begin, a.rank, a.name) < std::tie(b.begin, b.rank, b.name);
  });
  const auto same = [](const Added& a, const Added& b) { return a.begin == b.begin; };
  added_.erase(std::unique(added_.begin(), added_.end(), same), added_.end());
  symbols_.reserve(added_.size());
  for (size_t i = 0; i < added_.size(); ++i) {
    const Added& symbol = added_[i];
    if (names_.size() + symbol.name.size() >= kMostNameBytes) break;
    uint64_t size = symbol.size;
    if (symbol.open && i + 1 < added_.size())
      size = std::min(size, added_[i + 1].begin - symbol.begin);
    symbols_.push_back({symbol.begin, size, static_cast<uint32_t>(names_.size()),
                        static_cast<uint32_t>(symbol.name.size())});
    names_.append(symbol.name);
  }
  names_.shrink_to_fit();
  added_ = {};
}

std::optional<SymbolTable::Found> SymbolTable::find(uint64_t address) const {
  const auto after =
      std::upper_bound(symbols_.begin(), symbols_.end(), address,
                       [](uint64_t a, const Symbol& symbol) { return a < symbol.begin; });
  size_t at = static_cast<size_t>(after - symbols_.begin());
  for (size_t tried = 0; at > 0 && tried < kNested; ++tried) {
    const Symbol& symbol = symbols_[--at];
    const uint64_t offset = address - symbol.begin;
    if (offset < symbol.size)
      return Found{std::string_view(names_).substr(symbol.name, symbol.name_size), offset};
  }
  return std::nullopt;
}

void read_symbols(Elf* elf, SymbolTable& functions, SymbolTable& variables) {
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)
      read_section(elf, section, header, functions, variables);
  }
}

}  // namespace tailback
