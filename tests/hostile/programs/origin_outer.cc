// A library with a search path of its own, beside/, that loading.cc has open others for it.
#include <dlfcn.h>

extern "C" {

// By its own name for it: found on this library's path, and on no other.
__attribute__((visibility("default"))) void* open_from_outer(const char* name, int flags) {
  void* const library = dlopen(name, flags);
  // Not the last thing that it does, or its caller would seem to be who called dlopen.
  asm volatile("" ::"r"(library) : "memory");
  return library;
}

__attribute__((visibility("default"))) void* open_in_namespace_from_outer(const char* name,
                                                                          int flags) {
  void* const library = dlmopen(LM_ID_NEWLM, name, flags);
  asm volatile("" ::"r"(library) : "memory");
  return library;
}

__attribute__((visibility("default"))) void* find_from_outer(void* scope, const char* name) {
  void* const symbol = dlsym(scope, name);
  asm volatile("" ::"r"(symbol) : "memory");
  return symbol;
}

__attribute__((visibility("default"))) const char* error_from_outer() {
  return dlerror();
}
}
