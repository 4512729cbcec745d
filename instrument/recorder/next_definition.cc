#include "instrument/recorder/next_definition.h"

#include <elf.h>
#include <link.h>
#include <stdarg.h>
#include <string.h>

#include <atomic>

#include "instrument/recorder/rules.h"

namespace tailback {
namespace {

// Forwarding stubs: where each pointer starts out. `Tag` makes one stub per function.
template <typename Pointer, Pointer NextDefinitions::*Member>
struct FirstCall;

template <typename Result, typename... Parameters,
          Result (*NextDefinitions::*Member)(Parameters...)>
struct FirstCall<Result (*)(Parameters...), Member> {
  static Result stub(Parameters... parameters) {
    resolve_next_definitions();
    return (next.*Member)(parameters...);
  }
  // This libc has no such function, so no program can have been linked against it.
  static Result absent(Parameters...) {
    errno = ENOSYS;
    return (Result)-1;
  }
};
template <typename Result, typename... Parameters,
          Result (*NextDefinitions::*Member)(Parameters...) noexcept>
struct FirstCall<Result (*)(Parameters...) noexcept, Member> {
  static Result stub(Parameters... parameters) noexcept {
    resolve_next_definitions();
    return (next.*Member)(parameters...);
  }
  static Result absent(Parameters...) noexcept {
    errno = ENOSYS;
    return (Result)-1;
  }
};
// The variadic ones pass on as many arguments as any caller gives.
template <int (*NextDefinitions::*Member)(const char*, int, ...)>
struct FirstCall<int (*)(const char*, int, ...), Member> {
  static int stub(const char* path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    const mode_t mode = va_arg(list, mode_t);
    va_end(list);
    resolve_next_definitions();
    return (next.*Member)(path, flags, mode);
  }
  static int absent(const char*, int, ...) {
    errno = ENOSYS;
    return -1;
  }
};
template <int (*NextDefinitions::*Member)(int, const char*, int, ...)>
struct FirstCall<int (*)(int, const char*, int, ...), Member> {
  static int stub(int dirfd, const char* path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    const mode_t mode = va_arg(list, mode_t);
    va_end(list);
    resolve_next_definitions();
    return (next.*Member)(dirfd, path, flags, mode);
  }
  static int absent(int, const char*, int, ...) {
    errno = ENOSYS;
    return -1;
  }
};
template <long (*NextDefinitions::*Member)(long, ...) noexcept>
struct FirstCall<long (*)(long, ...) noexcept, Member> {
  static long stub(long number, ...) noexcept {
    va_list list;
    va_start(list, number);
    long a[6];
    for (long& value : a) value = va_arg(list, long);
    va_end(list);
    resolve_next_definitions();
    return (next.*Member)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  static long absent(long, ...) noexcept {
    errno = ENOSYS;
    return -1;
  }
};
template <int (*NextDefinitions::*Member)(int, ...) noexcept>
struct FirstCall<int (*)(int, ...) noexcept, Member> {
  static int stub(int option, ...) noexcept {
    va_list list;
    va_start(list, option);
    unsigned long a[4];
    for (unsigned long& value : a) value = va_arg(list, unsigned long);
    va_end(list);
    resolve_next_definitions();
    return (next.*Member)(option, a[0], a[1], a[2], a[3]);
  }
  static int absent(int, ...) noexcept {
    errno = ENOSYS;
    return -1;
  }
};

#define STUB(name) FirstCall<decltype(NextDefinitions::name), &NextDefinitions::name>::stub
#define ABSENT(name) FirstCall<decltype(NextDefinitions::name), &NextDefinitions::name>::absent

// The dynamic symbols of one loaded module.
class Module {
 public:
  explicit Module(const dl_phdr_info& info) : base_(info.dlpi_addr) {
    const ElfW(Dyn)* dynamic = nullptr;
    for (int i = 0; i < info.dlpi_phnum; ++i) {
      if (info.dlpi_phdr[i].p_type == PT_DYNAMIC) {
        dynamic = reinterpret_cast<const ElfW(Dyn)*>(base_ + info.dlpi_phdr[i].p_vaddr);
      }
    }
    dynamic_ = dynamic;
    if (!dynamic) return;
    for (; dynamic->d_tag != DT_NULL; ++dynamic) {
      switch (dynamic->d_tag) {
        case DT_SYMTAB:
          symbols_ = at<const ElfW(Sym)*>(dynamic->d_un.d_ptr);
          break;
        case DT_STRTAB:
          strings_ = at<const char*>(dynamic->d_un.d_ptr);
          break;
        case DT_VERSYM:
          versions_ = at<const uint16_t*>(dynamic->d_un.d_ptr);
          break;
        case DT_GNU_HASH:
          gnu_hash_ = at<const uint32_t*>(dynamic->d_un.d_ptr);
          break;
        case DT_HASH:
          hash_ = at<const uint32_t*>(dynamic->d_un.d_ptr);
          break;
        default:
          break;
      }
    }
  }

  bool is(const ElfW(Dyn) * dynamic) const { return dynamic_ == dynamic; }

  // The default version of a function, or nullptr.
  void* function(const char* name) const {
    if (!symbols_ || !strings_) return nullptr;
    const ElfW(Sym)* symbol = nullptr;
    if (gnu_hash_) {
      symbol = in_gnu_hash(name);
    } else if (hash_) {
      symbol = in_hash(name);
    }
    if (!symbol) return nullptr;
    void* address = reinterpret_cast<void*>(base_ + symbol->st_value);
    if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC) {
      return reinterpret_cast<void* (*)()>(address)();
    }
    return address;
  }

 private:
  // glibc's loader stores relocated addresses in the dynamic section; others leave offsets.
  template <typename T>
  T at(ElfW(Addr) value) const {
    return reinterpret_cast<T>(value < base_ ? base_ + value : value);
  }

  bool matches(uint32_t index, const char* name) const {
    const ElfW(Sym)& symbol = symbols_[index];
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_value == 0) return false;
    const unsigned type = ELF64_ST_TYPE(symbol.st_info);
    if (type != STT_FUNC && type != STT_GNU_IFUNC) return false;
    constexpr uint16_t kHiddenVersion = 0x8000;
    if (versions_ && (versions_[index] & kHiddenVersion)) return false;
    return strcmp(strings_ + symbol.st_name, name) == 0;
  }

  const ElfW(Sym) * in_gnu_hash(const char* name) const {
    uint32_t hash = 5381;
    for (const char* c = name; *c; ++c) hash = hash * 33 + static_cast<unsigned char>(*c);
    const uint32_t buckets = gnu_hash_[0];
    const uint32_t first = gnu_hash_[1];
    const uint32_t bloom = gnu_hash_[2];
    if (buckets == 0) return nullptr;
    const uint32_t* bucket = gnu_hash_ + 4 + bloom * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t* chain = bucket + buckets;
    uint32_t index = bucket[hash % buckets];
    if (index < first) return nullptr;
    for (;; ++index) {
      const uint32_t entry = chain[index - first];
      if ((entry | 1) == (hash | 1) && matches(index, name)) return symbols_ + index;
      if (entry & 1) return nullptr;
    }
  }

  const ElfW(Sym) * in_hash(const char* name) const {
    uint32_t hash = 0;
    for (const char* c = name; *c; ++c) {
      hash = (hash << 4) + static_cast<unsigned char>(*c);
      const uint32_t high = hash & 0xf0000000;
      if (high) hash ^= high >> 24;
      hash &= ~high;
    }
    const uint32_t buckets = hash_[0];
    if (buckets == 0) return nullptr;
    for (uint32_t index = hash_[2 + hash % buckets]; index; index = hash_[2 + buckets + index]) {
      if (matches(index, name)) return symbols_ + index;
    }
    return nullptr;
  }

  uintptr_t base_;
  const ElfW(Dyn) * dynamic_ = nullptr;
  const ElfW(Sym) * symbols_ = nullptr;
  const char* strings_ = nullptr;
  const uint16_t* versions_ = nullptr;
  const uint32_t* gnu_hash_ = nullptr;
  const uint32_t* hash_ = nullptr;
};

extern "C" ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

struct Walk {
  NextDefinitions found{};
  bool past_recorder = false;
  bool thread_sanitizer = false;
  bool observer = false;
};

int visit(dl_phdr_info* info, size_t, void* data) {
  Walk& walk = *static_cast<Walk*>(data);
  const Module module(*info);
  if (module.function("__tsan_init")) walk.thread_sanitizer = true;
  if (module.function("tailback_observer_process")) walk.observer = true;
  if (!walk.past_recorder) {
    walk.past_recorder = module.is(_DYNAMIC);
    return 0;
  }
#define RESOLVE(name)                                                                            \
  if (!walk.found.name) {                                                                        \
    walk.found.name = reinterpret_cast<decltype(NextDefinitions::name)>(module.function(#name)); \
  }
#define CALL(name, result, parameters, arguments, family, roles) RESOLVE(name)
#define TRY(name, result, parameters, arguments, family, roles, attempt) RESOLVE(name)
#define OWN(name, family, roles) RESOLVE(name)
#include "instrument/contract/intercept_table.inc"
#undef CALL
#undef TRY
#undef OWN
  NEEDED_BESIDE_THE_TABLE(RESOLVE)
  return 0;
}

template <typename Pointer>
void publish(Pointer& slot, Pointer found, Pointer absent) {
  __atomic_store_n(&slot, found ? found : absent, __ATOMIC_RELAXED);
}

}  // namespace

NextDefinitions next = {
#define CALL(name, result, parameters, arguments, family, roles) STUB(name),
#define TRY(name, result, parameters, arguments, family, roles, attempt) STUB(name),
#define OWN(name, family, roles) STUB(name),
#include "instrument/contract/intercept_table.inc"
#undef CALL
#undef TRY
#undef OWN
#define NAMED_STUB(name) STUB(name),
    NEEDED_BESIDE_THE_TABLE(NAMED_STUB)
#undef NAMED_STUB
};

bool under_thread_sanitizer = false;
bool inside_observer = false;

TAILBACK_COLD void resolve_next_definitions() {
  Walk walk;
  dl_iterate_phdr(visit, &walk);
  under_thread_sanitizer = walk.thread_sanitizer;
  inside_observer = walk.observer;
#define PUBLISH(name) publish(next.name, walk.found.name, ABSENT(name));
#define CALL(name, result, parameters, arguments, family, roles) PUBLISH(name)
#define TRY(name, result, parameters, arguments, family, roles, attempt) PUBLISH(name)
#define OWN(name, family, roles) PUBLISH(name)
#include "instrument/contract/intercept_table.inc"
#undef CALL
#undef TRY
#undef OWN
  NEEDED_BESIDE_THE_TABLE(PUBLISH)
}

}  // namespace tailback
