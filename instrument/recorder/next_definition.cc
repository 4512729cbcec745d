#include "instrument/recorder/next_definition.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#include <type_traits>

#include "instrument/recorder/first_call.h"
#include "instrument/recorder/rules.h"

// This library's own, where link.h declares that of whatever module refers to it.
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

namespace tailback {
namespace {

// The names of all pointers of `next` in their order, each ended by a zero.
#define EACH(name, family, traits, roles, recording) #name "\0"
#define NAME(name) #name "\0"
constexpr char kNames[] =
#include "instrument/contract/each_intercept.inc"
    NEEDED_BESIDE_THE_TABLE(NAME);
#undef NAME

constexpr uint32_t gnu_hash(const char* name) {
  uint32_t hash = 5381;
  for (const char* c = name; *c; ++c) hash = hash * 33 + static_cast<unsigned char>(*c);
  return hash;
}

constexpr uint32_t length_of(const char* name) {
  uint32_t length = 0;
  while (name[length]) ++length;
  return length;
}

// Where each name begins in kNames, and its hash: known before the program runs.
struct NameFacts {
  uint32_t hash;
  uint32_t offset;
};
struct AllNameFacts {
  NameFacts of[kNextDefinitions];
};
constexpr AllNameFacts facts_of_names() {
  AllNameFacts facts{};
  uint32_t offset = 0;
  for (NameFacts& name : facts.of) {
    name = {gnu_hash(kNames + offset), offset};
    offset += length_of(kNames + offset) + 1;
  }
  return facts;
}
constexpr AllNameFacts kNameFacts = facts_of_names();

template <typename Result, typename... Parameters>
constexpr bool returns_pointer(Result (*)(Parameters...)) {
  return std::is_pointer_v<Result>;
}
template <typename Result, typename... Parameters>
constexpr bool returns_pointer(Result (*)(Parameters..., ...)) {
  return std::is_pointer_v<Result>;
}

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

  // The default version of a function, else any other (some exist for old programs only), else
  // nullptr.
  void* function(const char* name, uint32_t hash) const {
    if (!symbols_ || !strings_) return nullptr;
    const ElfW(Sym)* symbol = find(name, hash, false);
    if (!symbol && versions_) symbol = find(name, hash, true);
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

  const ElfW(Sym) * find(const char* name, uint32_t hash, bool hidden_too) const {
    if (gnu_hash_) return in_gnu_hash(name, hash, hidden_too);
    return hash_ ? in_hash(name, hidden_too) : nullptr;
  }

  bool matches(uint32_t index, const char* name, bool hidden_too) const {
    const ElfW(Sym)& symbol = symbols_[index];
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_value == 0) return false;
    const unsigned type = ELF64_ST_TYPE(symbol.st_info);
    if (type != STT_FUNC && type != STT_GNU_IFUNC) return false;
    constexpr uint16_t kHiddenVersion = 0x8000;
    if (!hidden_too && versions_ && (versions_[index] & kHiddenVersion)) return false;
    return strcmp(strings_ + symbol.st_name, name) == 0;
  }

  const ElfW(Sym) * in_gnu_hash(const char* name, uint32_t hash, bool hidden_too) const {
    constexpr uint32_t kWordBits = 8 * sizeof(ElfW(Addr));
    const uint32_t buckets = gnu_hash_[0];
    const uint32_t first = gnu_hash_[1];
    const uint32_t bloom_words = gnu_hash_[2];
    const uint32_t bloom_shift = gnu_hash_[3];
    if (buckets == 0 || bloom_words == 0) return nullptr;
    const auto* bloom = reinterpret_cast<const ElfW(Addr)*>(gnu_hash_ + 4);
    const ElfW(Addr) word = bloom[hash / kWordBits % bloom_words];
    const ElfW(Addr) one = 1;
    if (!(word >> hash % kWordBits & word >> (hash >> bloom_shift) % kWordBits & one)) {
      return nullptr;
    }
    const auto* bucket = reinterpret_cast<const uint32_t*>(bloom + bloom_words);
    const uint32_t* chain = bucket + buckets;
    uint32_t index = bucket[hash % buckets];
    if (index < first) return nullptr;
    for (;; ++index) {
      const uint32_t entry = chain[index - first];
      if ((entry | 1) == (hash | 1) && matches(index, name, hidden_too)) return symbols_ + index;
      if (entry & 1) return nullptr;
    }
  }

  const ElfW(Sym) * in_hash(const char* name, bool hidden_too) const {
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
      if (matches(index, name, hidden_too)) return symbols_ + index;
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

// One pointer of `next`, of whatever type.
void*& slot(uint32_t index) {
  return reinterpret_cast<void**>(&next)[index];
}

// Pointers that were found after the first walk, which saw all that is loaded with the program. A
// bit is never cleared.
bool is_late[kNextDefinitions];
bool walked_before = false;

struct Walk {
  bool past_recorder = false;
  bool thread_sanitizer = false;
  bool observer = false;
  bool free_seen = false;
  bool free_tells_size = false;
};

bool has(const Module& module, const char* name) {
  return module.function(name, gnu_hash(name)) != nullptr;
}

int visit(dl_phdr_info* info, size_t, void* data) {
  Walk& walk = *static_cast<Walk*>(data);
  const Module module(*info);
  if (has(module, "__tsan_init")) walk.thread_sanitizer = true;
  if (has(module, "tailback_observer_process")) walk.observer = true;
  if (!walk.past_recorder) {
    walk.past_recorder = module.is(_DYNAMIC);
    return 0;
  }
  if (!walk.free_seen && has(module, "free")) {
    walk.free_seen = true;
    walk.free_tells_size = has(module, "malloc_usable_size");
  }
  for (uint32_t i = 0; i < kNextDefinitions; ++i) {
    if (__atomic_load_n(&slot(i), __ATOMIC_RELAXED) != first_call_stub(i)) continue;
    const NameFacts& name = kNameFacts.of[i];
    if (void* function = module.function(kNames + name.offset, name.hash)) {
      if (walked_before) __atomic_store_n(&is_late[i], true, __ATOMIC_RELAXED);
      __atomic_store_n(&slot(i), function, __ATOMIC_RELAXED);
    }
  }
  return 0;
}

// Called in place of a function that no loaded module has. No program can have been linked with it.
void* absent_pointer() {
  errno = ENOSYS;
  return nullptr;
}
int64_t absent_number() {
  errno = ENOSYS;
  return -1;
}

constexpr bool kReturnsPointer[] = {
#define RETURNS_POINTER(name) returns_pointer(decltype(NextDefinitions::name){}),
#define EACH(name, family, traits, roles, recording) RETURNS_POINTER(name)
#include "instrument/contract/each_intercept.inc"
    NEEDED_BESIDE_THE_TABLE(RETURNS_POINTER)};

}  // namespace

bool under_thread_sanitizer = false;
Attempts attempts = {
    [](pthread_mutex_t* mutex) noexcept { return next.pthread_mutex_trylock(mutex); },
    [](pthread_rwlock_t* lock) noexcept { return next.pthread_rwlock_tryrdlock(lock); },
    [](pthread_rwlock_t* lock) noexcept { return next.pthread_rwlock_trywrlock(lock); },
    [](pthread_spinlock_t* lock) noexcept { return next.pthread_spin_trylock(lock); }};
bool inside_observer = false;
bool free_tells_size = false;
bool next_is_known = false;

TAILBACK_COLD void resolve_next_definitions() {
  Walk walk;
  dl_iterate_phdr(visit, &walk);
  walked_before = true;
  under_thread_sanitizer = walk.thread_sanitizer;
  if (under_thread_sanitizer) {
    attempts = {[](pthread_mutex_t*) noexcept { return EBUSY; },
                [](pthread_rwlock_t*) noexcept { return EBUSY; },
                [](pthread_rwlock_t*) noexcept { return EBUSY; },
                [](pthread_spinlock_t*) noexcept { return EBUSY; }};
  } else {
    attempts = {next.pthread_mutex_trylock, next.pthread_rwlock_tryrdlock,
                next.pthread_rwlock_trywrlock, next.pthread_spin_trylock};
  }
  inside_observer = walk.observer;
  free_tells_size = walk.free_tells_size;
  next_is_known = true;
}

TAILBACK_COLD void forget_late_definitions() {
  for (uint32_t i = 0; i < kNextDefinitions; ++i) {
    if (!__atomic_load_n(&is_late[i], __ATOMIC_RELAXED)) continue;
    __atomic_store_n(&slot(i), first_call_stub(i), __ATOMIC_RELAXED);
  }
}

}  // namespace tailback

extern "C" void* tailback_first_call(uint32_t index) {
  using namespace tailback;
  resolve_next_definitions();
  void* const found = __atomic_load_n(&slot(index), __ATOMIC_RELAXED);
  if (found != first_call_stub(index)) return found;
  return kReturnsPointer[index] ? reinterpret_cast<void*>(absent_pointer)
                                : reinterpret_cast<void*>(absent_number);
}
