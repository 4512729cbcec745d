// An auditing library (LD_AUDIT): it looks at every object and every binding, and gives the program
// a getppid of its own.
#include <link.h>
#include <string.h>
#include <unistd.h>

namespace {
pid_t audited_parent() {
  return 4242;
}
}  // namespace

extern "C" {
__attribute__((visibility("default"))) unsigned la_version(unsigned) {
  return LAV_CURRENT;
}
__attribute__((visibility("default"))) unsigned la_objopen(link_map*, Lmid_t, uintptr_t*) {
  return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}
__attribute__((visibility("default"))) uintptr_t la_symbind64(Elf64_Sym* symbol, unsigned,
                                                              uintptr_t*, uintptr_t*, unsigned*,
                                                              const char* name) {
  if (!strcmp(name, "getppid")) return reinterpret_cast<uintptr_t>(audited_parent);
  return symbol->st_value;
}
}
