// What dlopen answers depends on who calls it: the caller's search path, its $ORIGIN, its namespace
// and its place in the search order.
#include <dlfcn.h>
#include <link.h>

#include <string>

#include "program.h"

using namespace hostile;

namespace {

using Open = void* (*)(const char*, int);
using Find = void* (*)(void*, const char*);
using Error = const char* (*)();
using Work = int (*)(int);

constexpr char kInner[] = "libhostile_origin_inner.so";

std::string own_directory() {
  char path[4096] = "";
  (void)!readlink("/proc/self/exe", path, sizeof path - 1);
  const std::string text = path;
  return text.substr(0, text.rfind('/') + 1);
}

Lmid_t namespace_of(void* library) {
  Lmid_t id = -1;
  dlinfo(library, RTLD_DI_LMID, &id);
  return id;
}

const char* own_error() {
  return dlerror();
}

void say_opened(const char* what, void* library, Error error) {
  if (!library) {
    const char* reason = error();
    say("%s: %s\n", what, reason ? reason : "no, and no reason");
    return;
  }
  const auto work = reinterpret_cast<Work>(dlsym(library, "only_in_inner"));
  link_map* map = nullptr;
  dlinfo(library, RTLD_DI_LINKMAP, &map);
  const char* name = strrchr(map->l_name, '/');
  char origin[4096] = "";
  dlinfo(library, RTLD_DI_ORIGIN, origin);
  say("%s: %s in %s, work %d\n", what, name ? name : map->l_name, strrchr(origin, '/'),
      work ? work(40) : -1);
}

struct Outer {
  void* library;
  Open open;
  Open open_in_namespace;
  Find find;
  Error error;
};

template <typename Function>
Function function(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

Outer functions_of(void* library) {
  if (!library) say("the outer library: %s\n", dlerror());
  return {library, function<Open>(library, "open_from_outer"),
          function<Open>(library, "open_in_namespace_from_outer"),
          function<Find>(library, "find_from_outer"), function<Error>(library, "error_from_outer")};
}

void open_all(const char* what, const Outer& outer) {
  say("%s\n", what);
  void* library = outer.open(kInner, RTLD_NOW | RTLD_LOCAL);
  say_opened("by the outer's path", library, outer.error);
  if (library) {
    verdict("in the namespace of its opener", namespace_of(library) == namespace_of(outer.library));
    say("  open already: %d", outer.open(kInner, RTLD_NOW | RTLD_NOLOAD) == library);
    say(" closed %d", dlclose(library));
    say(" closed %d\n", dlclose(library));
  }
  library = outer.open("$ORIGIN/beside/libhostile_origin_inner.so", RTLD_LAZY);
  say_opened("by the outer's origin", library, outer.error);
  if (library) dlclose(library);
  say_opened("not there", outer.open("libhostile_no_such.so", RTLD_NOW), outer.error);
  verdict("the program itself", outer.open(nullptr, RTLD_NOW) != nullptr);
  verdict("no such flag", outer.open(kInner, 0) == nullptr && outer.error());
}

void by_scope(const Outer& outer) {
  // From a library opened locally only its own scope is seen, until it is opened globally.
  void* library = outer.open(kInner, RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  say("local: %d", dlsym(RTLD_DEFAULT, "only_in_inner") != nullptr);
  say(" from outer %d", outer.find(RTLD_DEFAULT, "only_in_inner") != nullptr);
  outer.open(kInner, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
  say(" global: %d", dlsym(RTLD_DEFAULT, "only_in_inner") != nullptr);
  say(" next of outer %d\n", outer.find(RTLD_NEXT, "open_from_outer") != nullptr);
  void* next = outer.find(RTLD_NEXT, "getppid");
  verdict("the next getppid is libc's", next == dlsym(RTLD_DEFAULT, "getppid"));
  dlclose(library);
  dlclose(library);
}

void* open_and_close(void* outer) {
  const Outer& from = *static_cast<const Outer*>(outer);
  long opened = 0;
  for (int i = 0; i < 30; ++i) {
    void* library = from.open(kInner, RTLD_NOW);
    if (library) ++opened;
    if (library) dlclose(library);
  }
  return reinterpret_cast<void*>(opened);
}

}  // namespace

int main() {
  const std::string directory = own_directory();
  const std::string path = directory + "libhostile_origin_outer.so";
  // The program has no such path. What is opened is closed again: one that is there already would
  // be found by its name whoever asked.
  say_opened("by the program", dlopen(kInner, RTLD_NOW), own_error);
  void* library = dlopen("$ORIGIN/beside/libhostile_origin_inner.so", RTLD_NOW | RTLD_LOCAL);
  say_opened("by the program's origin", library, own_error);
  if (library) dlclose(library);
  Outer outer = functions_of(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  open_all("plainly", outer);
  Loop loop;
  loop.warm_up();
  loop.run(2, [&](int) {
    burn_ms(25);
    void* opened = outer.open(kInner, RTLD_NOW | RTLD_LOCAL);
    say_opened("in a loop", opened, outer.error);
    if (opened) dlclose(opened);
  });
  say("still open: %d\n", outer.open(kInner, RTLD_NOW | RTLD_NOLOAD) != nullptr);
  pthread_t threads[4];
  for (pthread_t& thread : threads) pthread_create(&thread, nullptr, open_and_close, &outer);
  for (pthread_t thread : threads) {
    void* opened = nullptr;
    pthread_join(thread, &opened);
    say("at once: opened %ld\n", reinterpret_cast<long>(opened));
  }
  by_scope(outer);
  Outer deep = functions_of(dlopen(path.c_str(), RTLD_NOW | RTLD_DEEPBIND));
  open_all("deeply bound", deep);
  // With a libc of its own: what it opens belongs with it.
  Outer apart = functions_of(dlmopen(LM_ID_NEWLM, path.c_str(), RTLD_NOW));
  verdict("a namespace of its own", namespace_of(apart.library) != LM_ID_BASE);
  open_all("in a namespace", apart);
  void* further = apart.open_in_namespace(path.c_str(), RTLD_NOW);
  verdict("another namespace from there", further && namespace_of(further) != LM_ID_BASE &&
                                              namespace_of(further) != namespace_of(apart.library));
  say("done\n");
}
