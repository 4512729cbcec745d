// What the built libtailback.so needs of others and offers to them: it is loaded into programs of
// all kinds, and whatever else it exported would take the place of the program's own.
#include <fcntl.h>
#include <gelf.h>
#include <gtest/gtest.h>
#include <libelf.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "instrument/contract/intercepts.h"

namespace tailback {
namespace {

struct DynamicSymbol {
  std::string name;
  bool defined = false;
  unsigned char binding = STB_LOCAL;
  unsigned char type = STT_NOTYPE;
  unsigned char visibility = STV_DEFAULT;
};

// The dynamic section and symbols of one shared object.
class SharedObject {
 public:
  explicit SharedObject(const char* path) {
    elf_version(EV_CURRENT);
    fd_ = open(path, O_RDONLY | O_CLOEXEC);
    elf_ = fd_ >= 0 ? elf_begin(fd_, ELF_C_READ, nullptr) : nullptr;
    if (!elf_) {
      ADD_FAILURE() << "can't read " << path;
      return;
    }
    Elf_Scn* section = nullptr;
    while ((section = elf_nextscn(elf_, section)) != nullptr) {
      GElf_Shdr header;
      if (!gelf_getshdr(section, &header)) continue;
      Elf_Data* data = elf_getdata(section, nullptr);
      if (header.sh_type == SHT_DYNAMIC) read_dynamic(header, *data);
      if (header.sh_type == SHT_DYNSYM) read_symbols(header, *data);
      if (header.sh_type == SHT_GNU_verneed) read_versions(header, *data);
    }
  }
  ~SharedObject() {
    elf_end(elf_);
    if (fd_ >= 0) close(fd_);
  }
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;

  std::vector<std::string> needed;
  std::vector<std::string> needed_versions;  // "GLIBC_2.17"
  std::vector<DynamicSymbol> symbols;
  uint64_t flags = 0;    // DT_FLAGS
  uint64_t flags_1 = 0;  // DT_FLAGS_1
  bool has_text_relocations = false;

 private:
  std::string text(const GElf_Shdr& header, size_t offset) const {
    const char* found = elf_strptr(elf_, header.sh_link, offset);
    return found ? found : "";
  }

  void read_dynamic(const GElf_Shdr& header, Elf_Data& data) {
    GElf_Dyn entry;
    for (int i = 0; gelf_getdyn(&data, i, &entry) && entry.d_tag != DT_NULL; ++i) {
      if (entry.d_tag == DT_NEEDED) needed.push_back(text(header, entry.d_un.d_val));
      if (entry.d_tag == DT_FLAGS) flags = entry.d_un.d_val;
      if (entry.d_tag == DT_FLAGS_1) flags_1 = entry.d_un.d_val;
      if (entry.d_tag == DT_TEXTREL) has_text_relocations = true;
    }
  }

  void read_symbols(const GElf_Shdr& header, Elf_Data& data) {
    GElf_Sym symbol;
    for (int i = 1; gelf_getsym(&data, i, &symbol); ++i) {
      symbols.push_back({text(header, symbol.st_name), symbol.st_shndx != SHN_UNDEF,
                         static_cast<unsigned char>(GELF_ST_BIND(symbol.st_info)),
                         static_cast<unsigned char>(GELF_ST_TYPE(symbol.st_info)),
                         static_cast<unsigned char>(GELF_ST_VISIBILITY(symbol.st_other))});
    }
  }

  void read_versions(const GElf_Shdr& header, Elf_Data& data) {
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

  int fd_ = -1;
  Elf* elf_ = nullptr;
};

class RecorderObject : public ::testing::Test {
 protected:
  static const SharedObject& recorder() {
    static const SharedObject object(TAILBACK_RECORDER);
    return object;
  }
};

TEST_F(RecorderObject, NeedsLibcAndNothingElse) {
  EXPECT_EQ(recorder().needed, std::vector<std::string>{"libc.so.6"});
}

TEST_F(RecorderObject, ExportsTheTableAndNothingElse) {
  // Wrapped to follow what they do, without being calls that wait.
  std::set<std::string> expected = {
      "epoll_create", "epoll_create1", "prctl",       "pthread_create", "sigaction",
      "signal",       "__sysv_signal", "bsd_signal",  "sysv_signal",    "ssignal",
      "sigignore",    "sigset",        "siginterrupt"};
  for (uint32_t i = 1; i < intercept::kFunctionCount; ++i) {
    expected.insert(intercept::kFunctions[i].name);
  }
  std::set<std::string> exported;
  for (const DynamicSymbol& symbol : recorder().symbols) {
    if (symbol.defined) exported.insert(symbol.name);
  }
  EXPECT_EQ(exported, expected);
}

// A weak or hidden definition might give way to the one that it is to stand before.
TEST_F(RecorderObject, ItsExportsAreStrongFunctions) {
  size_t count = 0;
  for (const DynamicSymbol& symbol : recorder().symbols) {
    if (!symbol.defined) continue;
    ++count;
    EXPECT_EQ(symbol.binding, STB_GLOBAL) << symbol.name;
    EXPECT_EQ(symbol.type, STT_FUNC) << symbol.name;
    EXPECT_EQ(symbol.visibility, STV_DEFAULT) << symbol.name;
  }
  EXPECT_GT(count, 60u);
}

TEST_F(RecorderObject, ItsThreadLocalDataIsThereFromTheStart) {
  EXPECT_TRUE(recorder().flags & DF_STATIC_TLS);
  for (const DynamicSymbol& symbol : recorder().symbols) {
    EXPECT_NE(symbol.name, "__tls_get_addr");
  }
}

TEST_F(RecorderObject, CallsNothingThatAllocatesLocksOrLooksUp) {
  const std::set<std::string> forbidden = {"malloc",          "calloc",
                                           "realloc",         "free",
                                           "dlsym",           "dlopen",
                                           "dlvsym",          "printf",
                                           "fprintf",         "pthread_mutex_lock",
                                           "syslog",          "abort",
                                           "__cxa_throw",     "_Znwm",
                                           "_ZdlPv",          "pthread_key_create",
                                           "getenv",          "exit",
                                           "__stack_chk_fail"};
  for (const DynamicSymbol& symbol : recorder().symbols) {
    if (!symbol.defined) {
      EXPECT_FALSE(forbidden.contains(symbol.name)) << symbol.name;
    }
  }
}

TEST_F(RecorderObject, IsBoundWhenLoadedAndStaysLoaded) {
  EXPECT_TRUE(recorder().flags & DF_BIND_NOW);
  EXPECT_TRUE(recorder().flags_1 & DF_1_NODELETE);
  EXPECT_FALSE(recorder().flags & DF_TEXTREL);
  EXPECT_FALSE(recorder().has_text_relocations);
}

// "GLIBC_2.34" → 234; nothing for other names (GLIBC_PRIVATE).
std::optional<int> glibc_version(const std::string& version) {
  int major = 0;
  int minor = 0;
  int end = 0;
  const int fields = std::sscanf(version.c_str(), "GLIBC_%d.%d%n", &major, &minor, &end);
  if (fields != 2 || major != 2 || minor > 99) return std::nullopt;
  return major * 100 + minor;
}

TEST_F(RecorderObject, RunsOnGlibc234AndLater) {
  ASSERT_EQ(glibc_version("GLIBC_2.2.5"), 202);
  ASSERT_EQ(glibc_version("GLIBC_2.36"), 236);
  ASSERT_FALSE(glibc_version("GLIBC_PRIVATE"));
  EXPECT_FALSE(recorder().needed_versions.empty());
  for (const std::string& version : recorder().needed_versions) {
    const auto number = glibc_version(version);
    ASSERT_TRUE(number) << version;
    EXPECT_LE(*number, 234) << version;
  }
}

}  // namespace
}  // namespace tailback
