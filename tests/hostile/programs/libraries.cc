// Loads a library, uses it and unloads it: plainly, bound to itself first, and in a namespace with
// a libc of its own.
#include <dlfcn.h>

#include <string>

#include "program.h"

using namespace hostile;

namespace {

std::string library_path(const char* self) {
  char path[4096] = "";
  (void)!readlink(self, path, sizeof path - 1);
  std::string text = path;
  return text.substr(0, text.rfind('/')) + "/libhostile_loaded.so";
}

void use(const char* how, void* library, bool with_thread) {
  if (!library) {
    say("%s: %s\n", how, dlerror());
    return;
  }
  const auto work = reinterpret_cast<int (*)(int)>(dlsym(library, "work_in_library"));
  say("%s: %d", how, work(with_thread));
  say(" %d", work(with_thread));
  say(" closed %d\n", dlclose(library));
}

}  // namespace

int main() {
  const std::string path = library_path("/proc/self/exe");
  for (int i = 0; i < 3; ++i) {
    use("plainly", dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL), true);
    use("lazily", dlopen(path.c_str(), RTLD_LAZY | RTLD_GLOBAL), true);
    use("deeply bound", dlopen(path.c_str(), RTLD_NOW | RTLD_DEEPBIND), true);
    if (i == 0) use("in a namespace", dlmopen(LM_ID_NEWLM, path.c_str(), RTLD_NOW), false);
  }
  say("absent: %d\n", dlopen("/nowhere.so", RTLD_NOW) == nullptr);
  // What programs find when they ask by name is what works.
  const auto found = reinterpret_cast<ssize_t (*)(int, void*, size_t)>(dlsym(RTLD_DEFAULT, "read"));
  errno = 0;
  say("read by name: %zd errno %d\n", found(-1, nullptr, 0), errno);
  say("no such name: %d\n", dlsym(RTLD_DEFAULT, "tailback_no_such_name") == nullptr);
  say("done\n");
}
