#!/usr/bin/env bash
# std::timed_mutex::try_lock_for() and three race detectors: libstdc++ 12.2 with the ThreadSanitizer
# of gcc 12.2 (Debian libtsan2 12.2.0-14+deb12u1), and Helgrind and DRD of Valgrind 3.19.0.
#
# Expected: all three accept a counter that is only changed under the lock.
# Seen: libstdc++ locks by pthread_mutex_clocklock(), which is newer (glibc 2.30) than the interceptors
# of two of them. ThreadSanitizer reports a data race on the counter and the unlock of an unlocked
# mutex, and ends with status 66; Helgrind reports the race and one wrong unlock per iteration; DRD,
# of the same Valgrind release, knows the call and reports nothing.
set -euo pipefail
readonly gcc=12.2.0-14+deb12u1 valgrind=1:3.19.0-1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq {gcc,g++,cpp}-12=$gcc lib{gcc-12-dev,stdc++-12-dev,tsan2}=$gcc \
  valgrind=$valgrind 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$dir/root/usr/lib/x86_64-linux-gnu VALGRIND_LIB=$dir/root/usr/libexec/valgrind

cat >counter.cc <<'PROGRAM'
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

std::timed_mutex lock;
int counter;

void count() {
  for (int i = 0; i < 1000; ++i) {
    if (!lock.try_lock_for(std::chrono::seconds(10))) return;
    ++counter;
    lock.unlock();
  }
}

int main() {
  std::thread one(count), other(count);
  one.join();
  other.join();
  std::printf("%d\n", counter);
}
PROGRAM
root/usr/bin/g++-12 -g -O1 -pthread counter.cc -o plain
root/usr/bin/g++-12 -g -O1 -pthread -fsanitize=thread counter.cc -o sanitized

# Prints how many lines of a detector's output match.
count_of() {
  grep -c "$1" "$2" || true
}
./sanitized >tsan 2>&1 && status=0 || status=$?
root/usr/bin/valgrind --tool=helgrind ./plain >helgrind 2>&1
root/usr/bin/valgrind --tool=drd ./plain >drd 2>&1
races=$(count_of 'WARNING: ThreadSanitizer: data race' tsan)
unlocks=$(count_of 'WARNING: ThreadSanitizer: unlock of an unlocked mutex' tsan)
helgrind=$(sed -n 's/.*ERROR SUMMARY: \([0-9]*\) errors.*/\1/p' helgrind)
drd=$(sed -n 's/.*ERROR SUMMARY: \([0-9]*\) errors.*/\1/p' drd)
echo "ThreadSanitizer: status $status, $races race, $unlocks wrong unlock; Helgrind: $helgrind errors; DRD: $drd"
grep -qx 2000 helgrind && ((status == 66 && races >= 1 && unlocks >= 1 && helgrind >= 2000 && drd == 0))
