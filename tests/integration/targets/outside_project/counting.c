#include "counting.h"

static int counter;

void count(void) {
  ++counter; /* unprotected */
}
