/* Two threads count without a lock. */
#include <pthread.h>
#include <stddef.h>

#include "counting.h"

static void* counting(void* nothing) {
  count();
  return nothing;
}

int main(void) {
  pthread_t first;
  pthread_t second;
  pthread_create(&first, NULL, counting, NULL);
  pthread_create(&second, NULL, counting, NULL);
  pthread_join(first, NULL);
  pthread_join(second, NULL);
  return 0;
}
