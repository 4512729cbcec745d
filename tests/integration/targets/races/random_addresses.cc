// Says whether it was started with random addresses.
#include <sys/personality.h>

#include <cstdio>

int main() {
  const bool fixed = (personality(0xffffffff) & ADDR_NO_RANDOMIZE) != 0;
  std::puts(fixed ? "addresses fixed" : "addresses random");
}
