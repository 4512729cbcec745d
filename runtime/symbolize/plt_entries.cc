#include "runtime/symbolize/plt_entries.h"

#include <gelf.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_map>

namespace tailback {
namespace {

#if defined(__x86_64__)

// By the address of the slot in the global offset table.
using Slots = std::unordered_map<uint64_t, std::string>;

void read_slots(Elf* elf, Elf_Scn* section, const GElf_Shdr& header, Slots& slots) {
  Elf_Scn* symbols = elf_getscn(elf, header.sh_link);
  GElf_Shdr symbols_header;
  if (symbols == nullptr || gelf_getshdr(symbols, &symbols_header) == nullptr) return;
  Elf_Data* relocations = elf_getdata(section, nullptr);
  Elf_Data* names = elf_getdata(symbols, nullptr);
  if (relocations == nullptr || names == nullptr) return;
  const size_t count =
      std::min<size_t>(relocations->d_size / sizeof(Elf64_Rela), std::numeric_limits<int>::max());
  for (size_t i = 0; i < count; ++i) {
    GElf_Rela relocation;
    if (gelf_getrela(relocations, static_cast<int>(i), &relocation) == nullptr) return;
    const auto type = GELF_R_TYPE(relocation.r_info);
    if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) continue;
    GElf_Sym symbol;
    if (gelf_getsym(names, static_cast<int>(GELF_R_SYM(relocation.r_info)), &symbol) == nullptr)
      continue;
    const char* name = elf_strptr(elf, symbols_header.sh_link, symbol.st_name);
    if (name != nullptr && *name != '\0') slots.emplace(relocation.r_offset, name);
  }
}

// An entry jumps through its slot: [endbr64] [bnd] jmp *slot(%rip).
void read_entries(Elf_Scn* section, const GElf_Shdr& header, const Slots& slots,
                  SymbolTable& functions, std::deque<std::string>& names) {
  Elf_Data* data = elf_getdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr) return;
  const auto* bytes = static_cast<const unsigned char*>(data->d_buf);
  const uint64_t entry = header.sh_entsize == 8 ? 8 : 16;
  for (uint64_t begin = 0; begin + entry <= data->d_size; begin += entry) {
    for (uint64_t at = begin; at + 6 <= begin + entry; ++at) {
      if (bytes[at] != 0xff || bytes[at + 1] != 0x25) continue;
      int32_t distance = 0;
      std::memcpy(&distance, bytes + at + 2, sizeof distance);
      const auto slot =
          slots.find(header.sh_addr + at + 6 + static_cast<uint64_t>(int64_t{distance}));
      if (slot != slots.end())
        functions.add(header.sh_addr + begin, entry, names.emplace_back(slot->second + "@plt"), 0);
      break;
    }
  }
}

#endif

}  // namespace

void read_plt_entries([[maybe_unused]] Elf* elf, [[maybe_unused]] SymbolTable& functions,
                      [[maybe_unused]] std::deque<std::string>& names) {
#if defined(__x86_64__)
  size_t section_names = 0;
  if (elf_getshdrstrndx(elf, &section_names) != 0) return;
  Slots slots;
  for (const bool relocations : {true, false}) {
    for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
         section = elf_nextscn(elf, section)) {
      GElf_Shdr header;
      if (gelf_getshdr(section, &header) == nullptr) continue;
      if (relocations) {
        if (header.sh_type == SHT_RELA && (header.sh_flags & SHF_ALLOC) != 0)
          read_slots(elf, section, header, slots);
        continue;
      }
      const char* name = elf_strptr(elf, section_names, header.sh_name);
      if (header.sh_type == SHT_PROGBITS && name != nullptr && std::strncmp(name, ".plt", 4) == 0)
        read_entries(section, header, slots, functions, names);
    }
  }
#endif
}

}  // namespace tailback
