#include "instrument/recorder/environment.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "instrument/recorder/machine.h"

namespace tailback {

namespace {

bool is_variable(const char* entry, const char* name, size_t length) {
  return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

}  // namespace

const char* environment_value(const char* name) {
  if (!environ) return nullptr;
  const size_t length = strlen(name);
  for (char** entry = environ; *entry; ++entry) {
    if (is_variable(*entry, name, length)) return *entry + length + 1;
  }
  return nullptr;
}

size_t environment_count() {
  size_t count = 0;
  if (environ) {
    while (environ[count]) ++count;
  }
  return count;
}

void copy_environment_without(const char* name, char** out) {
  const size_t length = strlen(name);
  for (char** entry = environ; entry && *entry; ++entry) {
    if (!is_variable(*entry, name, length)) *out++ = *entry;
  }
  *out = nullptr;
}

void* map_pages(size_t size) {
  const long address = raw_syscall(SYS_mmap, 0, static_cast<long>(size), PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return address < 0 && address > -4096 ? nullptr : reinterpret_cast<void*>(address);
}

void add_to_environment(char* entry) {
  const size_t count = environment_count();
  char** extended = static_cast<char**>(map_pages((count + 2) * sizeof(char*)));
  if (!extended) return;
  for (size_t i = 0; i < count; ++i) extended[i] = environ[i];
  extended[count] = entry;
  extended[count + 1] = nullptr;
  environ = extended;
}

}  // namespace tailback
