// free() and realloc() on their way through the recorder, which goes on to the next definition.
// Without the recorder, this library's own reference to it would be to nothing: it is preloaded
// with it or not at all.
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
