#include "runtime/control_flow/second_returns.h"

#include <gelf.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace tailback {
namespace {

constexpr std::string_view kFunctions[] = {"_setjmp",   "setjmp",  "__sigsetjmp",
                                           "sigsetjmp", "savectx", "getcontext"};

bool uses_any(Elf* elf, Elf_Scn* section, const GElf_Shdr& header) {
  Elf_Data* data = elf_getdata(section, nullptr);
  if (data == nullptr) return true;
  const size_t count = data->d_size / sizeof(Elf64_Sym);
  for (size_t i = 0; i < count; ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) return true;
    if (symbol.st_shndx != SHN_UNDEF) continue;
    const char* name = elf_strptr(elf, header.sh_link, symbol.st_name);
    if (name != nullptr && std::find(std::begin(kFunctions), std::end(kFunctions),
                                     std::string_view(name)) != std::end(kFunctions)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool may_return_twice(ModuleImage& image) {
  Elf* elf = image.elf();
  if (elf == nullptr) return true;
  bool any = false;
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr && !any;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    if (header.sh_type == SHT_DYNSYM) any = uses_any(elf, section, header);
  }
  image.release_elf();
  return any;
}

}  // namespace tailback
