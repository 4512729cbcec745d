// Runs with another library preloaded, and proves that this one works.
//   beside_preload allocator SYMBOL | eatmydata | faketime
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>

#include <string>
#include <vector>

#include "allocations.h"
#include "answers.h"

using namespace hostile;

namespace {

void* allocate(void* result) {
  size_t length = 0;
  std::vector<std::string> texts;
  for (int i = 0; i < 2000; ++i) {
    texts.push_back("a text that is too long for a string: " + std::to_string(i));
    length += texts.back().size();
    if (i % 7 == 0) texts.erase(texts.begin());
    char* more = static_cast<char*>(calloc(1, static_cast<size_t>(i) * 13 + 1));
    more = static_cast<char*>(realloc(more, static_cast<size_t>(i) * 29 + 1));
    length += malloc_usable_size(more) >= static_cast<size_t>(i) * 29 + 1;
    free(more);
  }
  void* aligned = nullptr;
  length +=
      posix_memalign(&aligned, 4096, 100) == 0 && reinterpret_cast<uintptr_t>(aligned) % 4096 == 0;
  free(aligned);
  *static_cast<size_t*>(result) = length;
  return nullptr;
}

void allocator(const char* symbol) {
  verdict("the allocator is there", dlsym(RTLD_DEFAULT, symbol) != nullptr);
  allocate_in_threads(allocate);
}

void eatmydata() {
  const int file = open("file", O_RDWR | O_CREAT | O_SYNC, 0600);
  say("synchronous %d\n", (fcntl(file, F_GETFL) & O_SYNC) != 0);
  // Without it these would fail.
  REPORT(fsync(-1));
  REPORT(fdatasync(-1));
  REPORT(write(file, "text", 4));
  REPORT(fsync(file));
  REPORT(syncfs(-1));
  close(file);
  unlink("file");
}

void faketime() {
  const time_t now = time(nullptr);
  tm parts{};
  gmtime_r(&now, &parts);
  say("the year %d\n", parts.tm_year + 1900);
  timespec precise{};
  clock_gettime(CLOCK_REALTIME, &precise);
  say("the same: %d\n", precise.tv_sec - now < 60);
  const timespec moment = in_ms(5);
  REPORT(nanosleep(&moment, nullptr));
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  pthread_mutex_lock(&mutex);
  const timespec soon = deadline_in_ms(CLOCK_REALTIME, 5);
  REPORT(pthread_cond_timedwait(&condition, &mutex, &soon));
  pthread_mutex_unlock(&mutex);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "allocator" && argc > 2) allocator(argv[2]);
  if (mode == "eatmydata") eatmydata();
  if (mode == "faketime") faketime();
  char byte;
  REPORT(read(-1, &byte, 1));
  allocate_in_loop(allocate);
  allocate_in_child(allocate);
  say("done\n");
}
