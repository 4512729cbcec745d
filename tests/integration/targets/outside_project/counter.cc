// Two threads count without a lock.
#include <tailback.h>

#include <thread>

#include "counting.h"

int main() {
  std::thread first(count);
  std::thread second(count);
  first.join();
  second.join();
}
