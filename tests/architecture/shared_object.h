// The dynamic section and symbols of one shared object, as the loader sees them.
#pragma once

#include <gelf.h>
#include <libelf.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tailback {

struct DynamicSymbol {
  std::string name;
  bool defined = false;
  bool names_version = false;   // stands for a version, not for code or data
  bool hidden_version = false;  // an older version, for programs that were linked with it
  std::string version;          // "GLIBC_2.34" of a defined symbol; empty if it has none
  unsigned char binding = STB_LOCAL;
  unsigned char type = STT_NOTYPE;
  unsigned char visibility = STV_DEFAULT;
  uint64_t value = 0;
};

// Fails the test that makes one of what can't be read.
class SharedObject {
 public:
  explicit SharedObject(const std::string& path);
  ~SharedObject();
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;

  std::vector<std::string> needed;
  std::vector<std::string> needed_versions;  // "GLIBC_2.17"
  std::vector<DynamicSymbol> symbols;
  uint64_t flags = 0;    // DT_FLAGS
  uint64_t flags_1 = 0;  // DT_FLAGS_1
  bool has_text_relocations = false;

 private:
  std::string text(const GElf_Shdr& header, size_t offset) const;
  void read_dynamic(const GElf_Shdr& header, Elf_Data& data);
  void read_symbols(const GElf_Shdr& header, Elf_Data& data);
  void read_versions(const GElf_Shdr& header, Elf_Data& data);

  void read_version_names(const GElf_Shdr& header, Elf_Data& data);
  void give_versions(Elf_Data& data);

  std::map<GElf_Versym, std::string> version_names_;
  int fd_ = -1;
  Elf* elf_ = nullptr;
};

}  // namespace tailback
