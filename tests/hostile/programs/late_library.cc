// A plugin whose library comes and goes: each time at another address, since the one that it had is
// taken by something else meanwhile.
#include <dlfcn.h>
#include <sys/mman.h>

#include "program.h"

namespace {

// Where a function's library lies, to within a page.
void* page_of(void* function) {
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(function) & ~uintptr_t{4095});
}

void use_plugin(const char* path) {
  void* const plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!plugin) {
    hostile::say("no plugin: %s\n", dlerror());
    return;
  }
  const auto ask = reinterpret_cast<int (*)()>(dlsym(plugin, "ask_the_ring"));
  hostile::say("the ring says %d\n", ask());
  void* const ring = page_of(dlsym(plugin, "io_uring_submit"));
  dlclose(plugin);
  // Taken only if it is free.
  void* const taken =
      mmap(ring, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  hostile::say("its place was given up: %s\n", taken == ring ? "yes" : "no");
}

}  // namespace

int main(int, char** arguments) {
  char path[512];
  const char* const slash = strrchr(arguments[0], '/');
  const int length = slash ? static_cast<int>(slash - arguments[0]) : 1;
  snprintf(path, sizeof path, "%.*s/libhostile_late_plugin.so", length, slash ? arguments[0] : ".");
  for (int i = 0; i < 3; ++i) use_plugin(path);
  hostile::say("done\n");
  return 0;
}
