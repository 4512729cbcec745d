// free() and realloc(): they call the recorder, which calls the next definition. This library needs
// the recorder's symbols, so it is preloaded together with the recorder or not at all.
#include <stddef.h>

extern "C" {

void tailback_free(void* memory) noexcept;
void* tailback_realloc(void* memory, size_t size) noexcept;

__attribute__((visibility("default"))) void free(void* memory) noexcept {
  tailback_free(memory);
}

__attribute__((visibility("default"))) void* realloc(void* memory, size_t size) noexcept {
  return tailback_realloc(memory, size);
}
}
