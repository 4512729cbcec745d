// A library to be preloaded: an allocator that takes a mutex in every call, from the first that the
// loader makes, and waits while it holds it.
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

namespace {

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
alignas(64) char arena[256 << 20];
size_t used = 0;
long calls = 0;

void* allocate(size_t size, size_t alignment) {
  pthread_mutex_lock(&mutex);
  // A call that the recorder knows, with the lock held.
  const int error = errno;
  (void)!read(-1, nullptr, 0);
  errno = error;
  ++calls;
  size_t begin = (used + sizeof(size_t) + alignment - 1) / alignment * alignment;
  void* result = nullptr;
  if (begin + size <= sizeof arena) {
    result = arena + begin;
    memcpy(arena + begin - sizeof(size_t), &size, sizeof size);
    used = begin + size;
  }
  pthread_mutex_unlock(&mutex);
  if (!result) errno = ENOMEM;
  return result;
}

}  // namespace

extern "C" {
long locking_allocator_calls() {
  return calls;
}
void* malloc(size_t size) {
  return allocate(size, 16);
}
void free(void*) {
  pthread_mutex_lock(&mutex);
  ++calls;
  pthread_mutex_unlock(&mutex);
}
void* calloc(size_t count, size_t size) {
  return allocate(count * size, 16);  // never used before, so zero
}
void* realloc(void* old, size_t size) {
  void* result = allocate(size, 16);
  if (old && result) {
    size_t old_size;
    memcpy(&old_size, static_cast<char*>(old) - sizeof(size_t), sizeof old_size);
    memcpy(result, old, old_size < size ? old_size : size);
  }
  return result;
}
void* memalign(size_t alignment, size_t size) {
  return allocate(size, alignment < 16 ? 16 : alignment);
}
void* aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}
int posix_memalign(void** result, size_t alignment, size_t size) {
  *result = memalign(alignment, size);
  return *result ? 0 : ENOMEM;
}
}
