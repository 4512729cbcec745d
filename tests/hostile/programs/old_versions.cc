// Bound to the oldest versions of functions that libc keeps in several, as programs built long ago
// are: they do what the old ones did.
#include <dirent.h>
#include <dlfcn.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/stat.h>

#include "answers.h"

extern char** environ;

using namespace hostile;

extern "C" {
// Each is declared once more, under a name that the linker takes for the old one.
int old_cond_init(pthread_cond_t*, const pthread_condattr_t*);
int old_cond_wait(pthread_cond_t*, pthread_mutex_t*);
int old_cond_timedwait(pthread_cond_t*, pthread_mutex_t*, const timespec*);
int old_cond_signal(pthread_cond_t*);
int old_cond_broadcast(pthread_cond_t*);
int old_cond_destroy(pthread_cond_t*);
int old_spawn(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
              char* const[], char* const[]);
int old_spawnp(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
               char* const[], char* const[]);
char* old_realpath(const char*, char*);
int old_glob(const char*, int, int (*)(const char*, int), glob_t*);
int old_nftw(const char*, int (*)(const char*, const struct stat*, int, FTW*), int, int);
int old_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
int old_join(pthread_t, void**);
int old_once(pthread_once_t*, void (*)());
int old_sem_wait(sem_t*);
int old_sem_timedwait(sem_t*, const timespec*);
void* old_dlopen(const char*, int);
void* old_dlsym(void*, const char*);
int old_stat(int, const char*, struct stat*);
}
asm(".symver old_cond_init, pthread_cond_init@GLIBC_2.2.5");
asm(".symver old_cond_wait, pthread_cond_wait@GLIBC_2.2.5");
asm(".symver old_cond_timedwait, pthread_cond_timedwait@GLIBC_2.2.5");
asm(".symver old_cond_signal, pthread_cond_signal@GLIBC_2.2.5");
asm(".symver old_cond_broadcast, pthread_cond_broadcast@GLIBC_2.2.5");
asm(".symver old_cond_destroy, pthread_cond_destroy@GLIBC_2.2.5");
asm(".symver old_spawn, posix_spawn@GLIBC_2.2.5");
asm(".symver old_spawnp, posix_spawnp@GLIBC_2.2.5");
asm(".symver old_realpath, realpath@GLIBC_2.2.5");
asm(".symver old_glob, glob@GLIBC_2.2.5");
asm(".symver old_nftw, nftw@GLIBC_2.2.5");
asm(".symver old_create, pthread_create@GLIBC_2.2.5");
asm(".symver old_join, pthread_join@GLIBC_2.2.5");
asm(".symver old_once, pthread_once@GLIBC_2.2.5");
asm(".symver old_sem_wait, sem_wait@GLIBC_2.2.5");
asm(".symver old_sem_timedwait, sem_timedwait@GLIBC_2.2.5");
asm(".symver old_dlopen, dlopen@GLIBC_2.2.5");
asm(".symver old_dlsym, dlsym@GLIBC_2.2.5");
asm(".symver old_stat, __xstat@GLIBC_2.2.5");

namespace {

// The old condition was a pointer long; what lies behind it is the program's own.
struct OldCondition {
  void* pointer = nullptr;
  uint64_t behind[8];
};
OldCondition condition;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
int stage = 0;

pthread_cond_t* old_condition() {
  return reinterpret_cast<pthread_cond_t*>(&condition);
}

void* answer(void*) {
  pthread_mutex_lock(&mutex);
  while (stage != 1) old_cond_wait(old_condition(), &mutex);
  stage = 2;
  old_cond_signal(old_condition());
  pthread_mutex_unlock(&mutex);
  return reinterpret_cast<void*>(41);
}

void* wait_for_ever(void*) {
  pthread_mutex_lock(&mutex);
  pthread_cleanup_push([](void*) { pthread_mutex_unlock(&mutex); }, nullptr);
  for (;;) old_cond_wait(old_condition(), &mutex);
  pthread_cleanup_pop(1);
}

void by_condition() {
  memset(condition.behind, 0x5a, sizeof condition.behind);
  REPORT(old_cond_init(old_condition(), nullptr));
  pthread_t thread;
  REPORT(old_create(&thread, nullptr, answer, nullptr));
  pthread_mutex_lock(&mutex);
  stage = 1;
  REPORT(old_cond_broadcast(old_condition()));
  while (stage != 2) old_cond_wait(old_condition(), &mutex);
  const timespec soon = deadline_in_ms(CLOCK_REALTIME, 3);
  REPORT(old_cond_timedwait(old_condition(), &mutex, &soon));
  pthread_mutex_unlock(&mutex);
  void* result = nullptr;
  REPORT(old_join(thread, &result));
  say("  result %ld\n", reinterpret_cast<long>(result));
  REPORT(old_create(&thread, nullptr, wait_for_ever, nullptr));
  usleep(5000);
  REPORT(pthread_cancel(thread));
  REPORT(old_join(thread, &result));
  say("  canceled %d\n", result == PTHREAD_CANCELED);
  REPORT(old_cond_destroy(old_condition()));
  bool intact = true;
  for (const uint64_t word : condition.behind) intact &= word == 0x5a5a5a5a5a5a5a5a;
  verdict("what lies behind the condition is intact", intact);
}

void by_spawn() {
  FILE* script = fopen("script", "w");
  fputs("exit 33\n", script);
  fclose(script);
  chmod("script", 0755);
  char name[] = "./script";
  char* arguments[] = {name, nullptr};
  pid_t child = -1;
  // A script that does not name its shell: the old ones run it, the new ones don't.
  REPORT(old_spawn(&child, name, nullptr, nullptr, arguments, environ));
  say_ending("old posix_spawn", wait_for(child));
  REPORT(posix_spawn(&child, name, nullptr, nullptr, arguments, environ));
  REPORT(old_spawnp(&child, name, nullptr, nullptr, arguments, environ));
  say_ending("old posix_spawnp", wait_for(child));
  REPORT(posix_spawnp(&child, name, nullptr, nullptr, arguments, environ));
  unlink("script");
}

void search(const char* which, decltype(&old_glob) function) {
  glob_t found{};
  found.gl_opendir = [](const char* path) -> void* { return opendir(path); };
  found.gl_readdir = [](void* directory) { return readdir(static_cast<DIR*>(directory)); };
  found.gl_closedir = [](void* directory) { closedir(static_cast<DIR*>(directory)); };
  found.gl_stat = [](const char* path, struct stat* status) {
    say("  stat\n");
    return stat(path, status);
  };
  found.gl_lstat = [](const char* path, struct stat* status) {
    say("  lstat\n");
    return lstat(path, status);
  };
  say("%s glob: %d\n", which, function("broken", GLOB_ALTDIRFUNC, nullptr, &found));
  globfree(&found);
}

int count_entries = 0;
int count(const char*, const struct stat*, int, FTW*) {
  ++count_entries;
  return 0;
}

void by_name() {
  char text[PATH_MAX] = "";
  // The old one wants room for its answer.
  REPORT(old_realpath(".", nullptr));
  REPORT(realpath("/", text));
  REPORT(old_realpath("/", text));
  say("  %s\n", text);
  // The old one does not know the program's own lstat, and asks its stat instead.
  (void)!symlink("/nowhere/at/all", "broken");
  search("old", old_glob);
  search("new", glob);
  unlink("broken");
  mkdir("tree", 0700);
  mkdir("tree/below", 0700);
  // The old one leaves out flags that it does not know; the new one refuses them.
  REPORT(old_nftw("tree", count, 5, FTW_PHYS | 0x4000));
  say("  entries %d\n", count_entries);
  REPORT(nftw("tree", count, 5, FTW_PHYS | 0x4000));
  rmdir("tree/below");
  rmdir("tree");
  struct stat status;
  REPORT(old_stat(1, "/", &status));
  REPORT(old_stat(1, "/nowhere/at/all", &status));
}

std::atomic<int> once_calls{0};

void by_other_names() {
  pthread_once_t once = PTHREAD_ONCE_INIT;
  for (int i = 0; i < 2; ++i) REPORT(old_once(&once, [] { ++once_calls; }));
  say("  called %d\n", once_calls.load());
  sem_t semaphore;
  sem_init(&semaphore, 0, 1);
  REPORT(old_sem_wait(&semaphore));
  const timespec soon = deadline_in_ms(CLOCK_REALTIME, 3);
  REPORT(old_sem_timedwait(&semaphore, &soon));
  void* self = old_dlopen(nullptr, RTLD_NOW);
  REPORT(self);
  REPORT(old_dlsym(self, "read"));
  REPORT(old_dlsym(self, "tailback_no_such_name"));
  REPORT(old_dlopen("/nowhere/at/all.so", RTLD_NOW));
  say("  said why %d\n", dlerror() != nullptr);
}

}  // namespace

int main() {
  by_condition();
  by_spawn();
  by_name();
  by_other_names();
  say("done\n");
}
