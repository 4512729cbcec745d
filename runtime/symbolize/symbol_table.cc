#include "runtime/symbolize/symbol_table.h"

#include <gelf.h>

#include <algorithm>
#include <limits>

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
  add(begin, size, name, rank, false);
}

void SymbolTable::add_open(uint64_t begin, uint64_t limit, std::string_view name, uint32_t rank) {
  add(begin, limit - begin, name, rank, true);
}

void SymbolTable::add(uint64_t begin, uint64_t size, std::string_view name, uint32_t rank,
                      bool open) {
  if (names_.size() + name.size() >= kMostNameBytes) return;
  symbols_.push_back(
      {begin, size, static_cast<uint32_t>(names_.size()), rank & 0x7fffffffu, open ? 1u : 0u});
  names_.append(name);
  names_ += '\0';
}

void SymbolTable::finish() {
  std::sort(symbols_.begin(), symbols_.end(), [&](const Symbol& a, const Symbol& b) {
    if (a.begin != b.begin) return a.begin < b.begin;
    if (a.rank != b.rank) return a.rank < b.rank;
    return std::string_view(names_.data() + a.name) < std::string_view(names_.data() + b.name);
  });
  const auto same = [](const Symbol& a, const Symbol& b) { return a.begin == b.begin; };
  symbols_.erase(std::unique(symbols_.begin(), symbols_.end(), same), symbols_.end());
  for (size_t i = 0; i + 1 < symbols_.size(); ++i) {
    Symbol& symbol = symbols_[i];
    if (symbol.open != 0) symbol.size = std::min(symbol.size, symbols_[i + 1].begin - symbol.begin);
  }
  symbols_.shrink_to_fit();
  // Only the names that are left.
  std::string names;
  for (Symbol& symbol : symbols_) {
    const std::string_view name(names_.data() + symbol.name);
    symbol.name = static_cast<uint32_t>(names.size());
    names.append(name);
    names += '\0';
  }
  names_ = std::move(names);
  names_.shrink_to_fit();
}

std::optional<SymbolTable::Found> SymbolTable::find(uint64_t address) const {
  const auto after =
      std::upper_bound(symbols_.begin(), symbols_.end(), address,
                       [](uint64_t a, const Symbol& symbol) { return a < symbol.begin; });
  size_t at = static_cast<size_t>(after - symbols_.begin());
  for (size_t tried = 0; at > 0 && tried < kNested; ++tried) {
    const Symbol& symbol = symbols_[--at];
    const uint64_t offset = address - symbol.begin;
    if (offset < symbol.size) return Found{names_.data() + symbol.name, offset};
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
