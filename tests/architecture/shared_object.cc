#include "tests/architecture/shared_object.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tailback {

SharedObject::SharedObject(const std::string& path) {
  elf_version(EV_CURRENT);
  fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  elf_ = fd_ >= 0 ? elf_begin(fd_, ELF_C_READ, nullptr) : nullptr;
  if (!elf_) {
    ADD_FAILURE() << "can't read " << path;
    return;
  }
  Elf_Data* versions = nullptr;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf_, section)) != nullptr) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header)) continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    if (header.sh_type == SHT_DYNAMIC) read_dynamic(header, *data);
    if (header.sh_type == SHT_DYNSYM) read_symbols(header, *data);
    if (header.sh_type == SHT_GNU_verneed) read_versions(header, *data);
    if (header.sh_type == SHT_GNU_verdef) read_version_names(header, *data);
    if (header.sh_type == SHT_GNU_versym) versions = data;
  }
  if (versions) give_versions(*versions);
}

SharedObject::~SharedObject() {
  elf_end(elf_);
  if (fd_ >= 0) close(fd_);
}

std::string SharedObject::text(const GElf_Shdr& header, size_t offset) const {
  const char* found = elf_strptr(elf_, header.sh_link, offset);
  return found ? found : "";
}

void SharedObject::read_dynamic(const GElf_Shdr& header, Elf_Data& data) {
  GElf_Dyn entry;
  for (int i = 0; gelf_getdyn(&data, i, &entry) && entry.d_tag != DT_NULL; ++i) {
    if (entry.d_tag == DT_NEEDED) needed.push_back(text(header, entry.d_un.d_val));
    if (entry.d_tag == DT_FLAGS) flags = entry.d_un.d_val;
    if (entry.d_tag == DT_FLAGS_1) flags_1 = entry.d_un.d_val;
    if (entry.d_tag == DT_TEXTREL) has_text_relocations = true;
  }
}

void SharedObject::read_symbols(const GElf_Shdr& header, Elf_Data& data) {
  GElf_Sym symbol;
  for (int i = 1; gelf_getsym(&data, i, &symbol); ++i) {
    DynamicSymbol entry;
    entry.name = text(header, symbol.st_name);
    entry.defined = symbol.st_shndx != SHN_UNDEF;
    entry.names_version = symbol.st_shndx == SHN_ABS;
    entry.binding = GELF_ST_BIND(symbol.st_info);
    entry.type = GELF_ST_TYPE(symbol.st_info);
    entry.visibility = GELF_ST_VISIBILITY(symbol.st_other);
    entry.value = symbol.st_value;
    symbols.push_back(std::move(entry));
  }
}

void SharedObject::read_version_names(const GElf_Shdr& header, Elf_Data& data) {
  GElf_Verdef definition;
  int at = 0;
  while (gelf_getverdef(&data, at, &definition)) {
    GElf_Verdaux aux;
    if (!(definition.vd_flags & VER_FLG_BASE) &&
        gelf_getverdaux(&data, at + static_cast<int>(definition.vd_aux), &aux)) {
      version_names_[definition.vd_ndx] = text(header, aux.vda_name);
    }
    if (definition.vd_next == 0) break;
    at += static_cast<int>(definition.vd_next);
  }
}

void SharedObject::give_versions(Elf_Data& data) {
  constexpr GElf_Versym kHidden = 0x8000;
  for (size_t i = 0; i < symbols.size(); ++i) {
    GElf_Versym version;
    if (!gelf_getversym(&data, static_cast<int>(i + 1), &version)) return;
    symbols[i].hidden_version = (version & kHidden) != 0;
    const auto name = version_names_.find(version & ~kHidden);
    if (symbols[i].defined && name != version_names_.end()) symbols[i].version = name->second;
  }
}

void SharedObject::read_versions(const GElf_Shdr& header, Elf_Data& data) {
  GElf_Verneed need;
  int at = 0;
  while (gelf_getverneed(&data, at, &need)) {
    int aux_at = at + static_cast<int>(need.vn_aux);
    GElf_Vernaux aux;
    for (int i = 0; i < need.vn_cnt && gelf_getvernaux(&data, aux_at, &aux); ++i) {
      needed_versions.push_back(text(header, aux.vna_name));
      aux_at += static_cast<int>(aux.vna_next);
    }
    if (need.vn_next == 0) break;
    at += static_cast<int>(need.vn_next);
  }
}

}  // namespace tailback
