#!/usr/bin/env bash
# ThreadSanitizer's runtime of gcc 12.2 (Debian package libtsan2 12.2.0-14+deb12u1).
#
# Expected: a signal handler runs when its signal arrives, as without the sanitizer.
# Seen: a handler of an asynchronous signal does not run while its thread computes. A timer of 10 ms
# expires some 20 times or more within a loop that calls nothing; no handler runs before the loop's
# end. The first intercepted call after it (clock_gettime) runs the handler once: the runtime keeps
# one pending entry per signal number, so the other expiries are lost. A sampling profiler, a
# watchdog or a scheduler on SIGALRM sees nothing of a computing thread in a sanitized build.
set -euo pipefail
readonly version=12.2.0-14+deb12u1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq {gcc,cpp}-12=$version lib{gcc-12-dev,tsan2}=$version 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$dir/root/usr/lib/x86_64-linux-gnu

cat >computes.c <<'PROGRAM'
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t runs;
static void on_alarm(int number) { runs += number == SIGALRM; }

static long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(void) {
  struct sigaction action = {.sa_handler = on_alarm};
  struct itimerval each_10_ms = {{0, 10000}, {0, 10000}};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &each_10_ms, NULL);
  const long begin = milliseconds();
  volatile unsigned long sum = 0;
  for (unsigned long i = 0; i < 300000000; ++i) sum += i;
  const int before_the_call = runs;
  const long length = milliseconds() - begin;
  printf("%d %d %ld\n", before_the_call, (int)runs, length / 10);
  return 0;
}
PROGRAM
root/usr/bin/gcc-12 -O1 computes.c -o plain
root/usr/bin/gcc-12 -O1 -fsanitize=thread computes.c -o sanitized

read -r plain_before _ plain_expiries < <(./plain)
read -r before after expiries < <(./sanitized)
echo "plain: $plain_before of about $plain_expiries handlers ran within the loop"
echo "libtsan2 $version: $before within the loop, $after after the next call, of about $expiries"
((plain_before * 2 >= plain_expiries && expiries >= 5 && before == 0 && after == 1))
