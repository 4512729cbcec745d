// Says how much memory this process has to itself, before and after a hundred thousand calls of
// every common kind: "private KIB", "grown KIB".

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

// Written to, so it can't be shared. Pages of files count for all who map them.
long private_kib() {
  FILE* const map = fopen("/proc/self/smaps_rollup", "r");
  char line[256];
  long kib = -1;
  while (map && fgets(line, sizeof line, map)) {
    if (sscanf(line, "Private_Dirty: %ld", &kib) == 1) {
      break;
    }
  }
  if (map) {
    fclose(map);
  }
  return kib;
}

bool make_calls(int count) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  const int null = open("/dev/null", O_RDWR);
  char byte = 0;
  bool good = null >= 0;
  for (int i = 0; i < count; ++i) {
    struct stat file {};
    good = read(null, &byte, 1) == 0 && write(null, &byte, 1) == 1 && good;
    good = fstat(null, &file) == 0 && access("/dev/null", R_OK) == 0 && good;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
  }
  close(null);
  return good;
}

}  // namespace

int main() {
  if (!make_calls(10)) {
    return 1;
  }
  private_kib();  // with what it takes itself
  const long before = private_kib();
  if (!make_calls(100000)) {
    return 1;
  }
  printf("private %ld\ngrown %ld\n", before, private_kib() - before);
  return 0;
}
