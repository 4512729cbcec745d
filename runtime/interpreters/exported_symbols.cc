#include "runtime/interpreters/exported_symbols.h"

#include <gelf.h>
#include <libelf.h>

#include <algorithm>

namespace tailback {

void for_each_exported_symbol(
    ModuleImage& image, const std::function<void(std::string_view name, uint64_t address)>& visit) {
  constexpr uint64_t kMostSymbols = 16 * 1024 * 1024;
  Elf* elf = image.elf();
  if (elf == nullptr) return;
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_DYNSYM ||
        header.sh_entsize == 0)
      continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    const auto count = static_cast<int>(std::min(header.sh_size / header.sh_entsize, kMostSymbols));
    for (int i = 0; data != nullptr && i < count; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, i, &symbol) == nullptr) break;
      if (symbol.st_shndx == SHN_UNDEF) continue;
      const char* const name = elf_strptr(elf, header.sh_link, symbol.st_name);
      if (name != nullptr) visit(name, symbol.st_value);
    }
  }
  image.release_elf();
}

}  // namespace tailback
