// Every kind of mutex, held, abandoned and misused: the same answers as without a recorder.
#include <sys/mman.h>

#include "program.h"

using namespace hostile;

namespace {

struct Kind {
  const char* name;
  int type;
  int robustness;
  int protocol;
};

constexpr Kind kKinds[] = {
    {"normal", PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE},
    {"errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE},
    {"recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE},
    {"adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE},
    {"robust", PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE},
    {"robust errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE},
    {"robust recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE},
    {"inherit", PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT},
    {"inherit errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT},
    {"robust inherit", PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT},
};

pthread_mutex_t make(const Kind& kind, bool shared = false) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, kind.type);
  pthread_mutexattr_setrobust(&attributes, kind.robustness);
  pthread_mutexattr_setprotocol(&attributes, kind.protocol);
  if (shared) pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  return mutex;
}

bool relocks_at_once(const Kind& kind) {
  return kind.type == PTHREAD_MUTEX_ERRORCHECK || kind.type == PTHREAD_MUTEX_RECURSIVE;
}

void* lock_and_end(void* mutex) {
  pthread_mutex_lock(static_cast<pthread_mutex_t*>(mutex));
  return nullptr;
}

void* try_from_elsewhere(void* argument) {
  auto* mutex = static_cast<pthread_mutex_t*>(argument);
  const timespec soon = deadline_in_ms(CLOCK_REALTIME, 2);
  const timespec monotonic = deadline_in_ms(CLOCK_MONOTONIC, 2);
  const timespec bad = {1, -1};
  say("  elsewhere: try %d timed %d clock %d bad time %d unlock %d\n", pthread_mutex_trylock(mutex),
      pthread_mutex_timedlock(mutex, &soon),
      pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &monotonic),
      pthread_mutex_timedlock(mutex, &bad), 0);
  return nullptr;
}

void in_thread(void* (*routine)(void*), void* argument) {
  pthread_t thread;
  pthread_create(&thread, nullptr, routine, argument);
  pthread_join(thread, nullptr);
}

void use(const Kind& kind) {
  say("%s\n", kind.name);
  pthread_mutex_t mutex = make(kind);
  const timespec bad = {1, -1};
  errno = 55;
  say("  lock %d\n", pthread_mutex_lock(&mutex));
  if (relocks_at_once(kind)) say("  relock %d\n", pthread_mutex_lock(&mutex));
  in_thread(try_from_elsewhere, &mutex);
  say("  unlock %d\n", pthread_mutex_unlock(&mutex));
  if (kind.type == PTHREAD_MUTEX_RECURSIVE) say("  unlock %d\n", pthread_mutex_unlock(&mutex));
  // Free: the deadline does not matter, but the clock does.
  say("  free: timed %d", pthread_mutex_timedlock(&mutex, &bad));
  say(" unlock %d", pthread_mutex_unlock(&mutex));
  const int refused = pthread_mutex_clocklock(&mutex, CLOCK_PROCESS_CPUTIME_ID, &bad);
  say(" cpu clock %d", refused);
  if (refused == 0) pthread_mutex_unlock(&mutex);
  say(" errno %d\n", errno);
  if (kind.robustness != PTHREAD_MUTEX_ROBUST) return;
  in_thread(lock_and_end, &mutex);
  say("  abandoned: lock %d", pthread_mutex_lock(&mutex));
  say(" consistent %d", pthread_mutex_consistent(&mutex));
  say(" unlock %d\n", pthread_mutex_unlock(&mutex));
  in_thread(lock_and_end, &mutex);
  say("  abandoned again: lock %d", pthread_mutex_lock(&mutex));
  say(" unlock %d", pthread_mutex_unlock(&mutex));
  say(" not recoverable: lock %d\n", pthread_mutex_lock(&mutex));
}

// The owner is another process, which dies with the mutex held while we wait for it.
void owner_dies() {
  void* place = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* mutex = static_cast<pthread_mutex_t*>(place);
  *mutex = make(kKinds[4], true);
  Pipe locked;
  const pid_t child = fork();
  if (child == 0) {
    pthread_mutex_lock(mutex);
    if (write(locked.in(), "x", 1) != 1) _exit(1);
    usleep(20000);
    raise(SIGKILL);
  }
  char byte;
  say("owner has it: %zd\n", read(locked.out(), &byte, 1));
  say("owner died: %d\n", pthread_mutex_lock(mutex));
  say_ending("owner", wait_for(child));
}

// Many threads, one counter.
struct Counted {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  long value = 0;
  int ended = 0;
};

void* count(void* argument) {
  auto* counted = static_cast<Counted*>(argument);
  for (int i = 0; i < 20000; ++i) {
    pthread_mutex_lock(&counted->mutex);
    ++counted->value;
    pthread_mutex_unlock(&counted->mutex);
  }
  pthread_mutex_lock(&counted->mutex);
  ++counted->ended;
  pthread_cond_signal(&counted->condition);
  pthread_mutex_unlock(&counted->mutex);
  return nullptr;
}

}  // namespace

int main() {
  for (const Kind& kind : kKinds) use(kind);
  owner_dies();
  Counted counted;
  pthread_t threads[4];
  for (pthread_t& thread : threads) pthread_create(&thread, nullptr, count, &counted);
  pthread_mutex_lock(&counted.mutex);
  while (counted.ended < 4) pthread_cond_wait(&counted.condition, &counted.mutex);
  pthread_mutex_unlock(&counted.mutex);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  say("counted %ld\ndone\n", counted.value);
}
