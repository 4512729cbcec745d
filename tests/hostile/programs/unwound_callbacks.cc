// Callbacks that libc calls and that do not return to it: left by longjmp, by an exception, by
// pthread_exit or by a cancellation, with calls in progress below and above.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <link.h>
#include <search.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <threads.h>

#include <stdexcept>

#include "program.h"

using namespace hostile;

namespace {

enum class Exit { kThrow, kJump, kEndThread, kCancel };
thread_local Exit way_out;
thread_local jmp_buf back;

struct Counted {
  std::atomic<int>& count;
  ~Counted() { ++count; }
};
std::atomic<int> unwound{0};

// Never returns.
void leave() {
  const timespec moment = {0, 1000};
  nanosleep(&moment, nullptr);
  switch (way_out) {
    case Exit::kThrow: {
      const Counted counted{unwound};
      throw std::runtime_error("out");
    }
    case Exit::kJump:
      longjmp(back, 1);
    case Exit::kEndThread: {
      const Counted counted{unwound};
      pthread_exit(reinterpret_cast<void*>(5));
    }
    case Exit::kCancel: {
      const Counted counted{unwound};
      pthread_cancel(pthread_self());
      for (;;) sleep(100);
    }
  }
}

int compare(const void*, const void*) {
  leave();
  return 0;
}
void by_qsort() {
  int numbers[] = {3, 2, 1, 5};
  qsort(numbers, 4, sizeof *numbers, compare);
}
void by_bsearch() {
  int numbers[] = {1, 2, 3};
  (void)!bsearch(numbers, numbers, 3, sizeof *numbers, compare);
}
void by_once() {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, leave);
}
void by_call_once() {
  static once_flag flag = ONCE_FLAG_INIT;
  call_once(&flag, leave);
}
void by_scandir_filter() {
  dirent** list;
  scandir(
      "tree", &list, [](const dirent*) -> int { return leave(), 1; }, alphasort);
}
void by_scandir_order() {
  dirent** list;
  scandir("tree", &list, nullptr, [](const dirent**, const dirent**) -> int { return leave(), 1; });
}
void by_nftw() {
  nftw(
      "tree", [](const char*, const struct stat*, int, FTW*) -> int { return leave(), 0; }, 4, 0);
}
void by_glob() {
  glob_t found{};
  found.gl_opendir = [](const char*) -> void* { return leave(), nullptr; };
  found.gl_readdir = [](void*) -> dirent* { return nullptr; };
  found.gl_closedir = [](void*) {};
  found.gl_stat = found.gl_lstat = [](const char*, struct stat*) { return -1; };
  glob("tree/*", GLOB_ALTDIRFUNC, nullptr, &found);
}
void by_modules() {
  dl_iterate_phdr([](dl_phdr_info*, size_t, void*) -> int { return leave(), 0; }, nullptr);
}
void by_tree() {
  void* root = nullptr;
  static int key = 4;
  tsearch(&key, &root, [](const void*, const void*) { return 0; });
  tsearch(&key, &root, compare);
}
void by_stream() {
  FILE* stream = fopencookie(
      nullptr, "r",
      {[](void*, char*, size_t) -> ssize_t { return leave(), 0; }, nullptr, nullptr, nullptr});
  setvbuf(stream, nullptr, _IONBF, 0);
  fgetc(stream);
}
void by_signal() {
  handle(
      SIGUSR1, [](int) { leave(); }, SA_NODEFER);
  raise(SIGUSR1);
}

struct Call {
  const char* name;
  void (*make)();
  // What else than a jump it can be left by: not every function of libc can be unwound. Some hold a
  // lock that only they give back, or free twice what they gave back on the way.
  bool throws;
  bool forced;
};
constexpr Call kCalls[] = {
    {"qsort", by_qsort, true, true},
    {"bsearch", by_bsearch, true, true},
    {"pthread_once", by_once, true, true},
    {"call_once", by_call_once, true, true},
    {"scandir's filter", by_scandir_filter, true, true},
    {"scandir's order", by_scandir_order, false, false},
    {"nftw", by_nftw, true, true},
    {"glob", by_glob, true, true},
    {"dl_iterate_phdr", by_modules, false, false},
    {"tsearch", by_tree, true, true},
    {"a stream's reader", by_stream, true, true},
    {"a handler", by_signal, false, true},
};

bool can_jump(const Call& call) {
  // These leave a lock or an unfinished initialization behind.
  return call.make != by_once && call.make != by_call_once && call.make != by_modules &&
         call.make != by_stream;
}

void* in_thread(void* call) {
  way_out = Exit::kEndThread;
  const Counted counted{unwound};
  static_cast<const Call*>(call)->make();
  return nullptr;
}
void* in_cancelled_thread(void* call) {
  way_out = Exit::kCancel;
  const Counted counted{unwound};
  static_cast<const Call*>(call)->make();
  return nullptr;
}

void use(const Call& call) {
  unwound = 0;
  if (can_jump(call)) {
    volatile int jumps = 0;
    volatile int tries = 0;
    while (tries < 5) {
      tries = tries + 1;
      way_out = Exit::kJump;
      if (setjmp(back) == 0) {
        call.make();
        say("%s returned\n", call.name);
      } else {
        jumps = jumps + 1;
      }
    }
    say("%s: jumps %d\n", call.name, static_cast<int>(jumps));
  }
  if (call.throws) {
    way_out = Exit::kThrow;
    int caught = 0;
    for (int i = 0; i < 5; ++i) {
      try {
        call.make();
        say("%s returned\n", call.name);
      } catch (const std::runtime_error&) {
        ++caught;
      }
    }
    say("%s: caught %d unwound %d\n", call.name, caught, unwound.exchange(0));
  }
  if (!call.forced) return;
  for (const auto routine : {in_thread, in_cancelled_thread}) {
    pthread_t thread;
    void* result = nullptr;
    pthread_create(&thread, nullptr, routine, const_cast<Call*>(&call));
    pthread_join(thread, &result);
    say("%s: ended with %ld unwound %d\n", call.name, reinterpret_cast<long>(result),
        unwound.exchange(0));
  }
}

}  // namespace

int main() {
  mkdir("tree", 0700);
  close(open("tree/file", O_CREAT | O_WRONLY, 0600));
  close(open("tree/other", O_CREAT | O_WRONLY, 0600));
  for (const Call& call : kCalls) use(call);
  unlink("tree/file");
  unlink("tree/other");
  rmdir("tree");
  // The calls work as before.
  Pipe pipe;
  char byte = 'a';
  say("write %zd", write(pipe.in(), &byte, 1));
  say(" read %zd\n", read(pipe.out(), &byte, 1));
  say("done\n");
}
