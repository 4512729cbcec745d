// What ThreadSanitizer finds, one kind for each name, and correct twins in which it finds nothing:
//   races NAME
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace {

int counter = 0;
std::atomic<int> atomic_counter{0};
pthread_mutex_t counter_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t left_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t right_mutex = PTHREAD_MUTEX_INITIALIZER;

// So that threads meet without being ordered by it.
std::atomic<int> arrived{0};
void meet(int all) {
  arrived.fetch_add(1, std::memory_order_relaxed);
  while (arrived.load(std::memory_order_relaxed) < all) usleep(1000);
}

__attribute__((noinline)) void run_two(void* (*first)(void*), void* (*second)(void*),
                                       void* argument = nullptr) {
  pthread_t threads[2];
  pthread_create(&threads[0], nullptr, first, argument);
  pthread_create(&threads[1], nullptr, second, argument);
  // ThreadSanitizer gives no name to a thread that is being joined.
  while (argument && arrived.load(std::memory_order_relaxed) < 2) usleep(1000);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
}

__attribute__((noinline)) void increment() {
  counter = counter + 1;  // unprotected
}

void* racing(void* name) {
  if (name) pthread_setname_np(pthread_self(), static_cast<const char*>(name));
  meet(2);
  for (int i = 0; i < 1000; ++i) increment();
  return nullptr;
}

void* with_mutex(void*) {
  for (int i = 0; i < 1000; ++i) {
    pthread_mutex_lock(&counter_mutex);
    ++counter;
    pthread_mutex_unlock(&counter_mutex);
  }
  return nullptr;
}

void* with_atomic(void*) {
  for (int i = 0; i < 1000; ++i) ++atomic_counter;
  return nullptr;
}

__attribute__((noinline)) void take_both(pthread_mutex_t* first, pthread_mutex_t* second) {
  pthread_mutex_lock(first);
  pthread_mutex_lock(second);  // the second
  pthread_mutex_unlock(second);
  pthread_mutex_unlock(first);
}
void* left_first(void*) {
  take_both(&left_mutex, &right_mutex);
  return nullptr;
}
void* right_first(void*) {
  take_both(&right_mutex, &left_mutex);
  return nullptr;
}

__attribute__((noinline)) void use(int* block) {
  *block = 1;  // used
}
void* user(void* block) {
  meet(2);
  usleep(200 * 1000);
  use(static_cast<int*>(block));
  return nullptr;
}
void* releaser(void* block) {
  meet(2);
  free(block);  // freed
  return nullptr;
}

void* volatile in_handler = nullptr;
void on_signal(int) {
  in_handler = malloc(100);  // not allowed here
}

// More frames than ThreadSanitizer keeps (256).
__attribute__((noinline)) int deep(int depth) {
  if (depth == 0) {
    increment();
    return 1;
  }
  return deep(depth - 1) + 1;
}
void* racing_deep(void*) {
  meet(2);
  for (int i = 0; i < 3; ++i) {
    if (deep(1000) == 0) puts("never");
  }
  return nullptr;
}

volatile int first_pair = 0;
volatile int second_pair = 0;
void* racing_first(void*) {
  meet(4);
  for (int i = 0; i < 1000; ++i) first_pair = first_pair + 1;
  return nullptr;
}
void* racing_second(void*) {
  meet(4);
  for (int i = 0; i < 1000; ++i) second_pair = second_pair + 1;
  return nullptr;
}

// A loop that is held up by a sleep while two threads race.
void stall_and_race() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event;
  for (int i = 0; i < 20; ++i) epoll_wait(epoll, &event, 1, 5);
  usleep(300 * 1000);  // in the loop
  for (int i = 0; i < 20; ++i) epoll_wait(epoll, &event, 1, 5);
  close(epoll);
  run_two(racing, racing);
}

int run(const char* name) {
  if (strcmp(name, "counter") == 0) {
    run_two(racing, racing, const_cast<char*>("racer"));
  } else if (strcmp(name, "mutex") == 0) {
    run_two(with_mutex, with_mutex);
  } else if (strcmp(name, "atomic") == 0) {
    run_two(with_atomic, with_atomic);
  } else if (strcmp(name, "order") == 0) {
    pthread_t thread;
    for (auto* start : {left_first, right_first}) {
      pthread_create(&thread, nullptr, start, nullptr);
      pthread_join(thread, nullptr);
    }
    usleep(200 * 1000);  // is there to be looked at: the text does not name the mutexes
  } else if (strcmp(name, "freed") == 0) {
    run_two(user, releaser, malloc(64));  // allocated
  } else if (strcmp(name, "leak") == 0) {
    pthread_t thread;
    pthread_create(&thread, nullptr, with_atomic, nullptr);  // never joined
    usleep(200 * 1000);
  } else if (strcmp(name, "signal") == 0) {
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
  } else if (strcmp(name, "unlock") == 0) {
    pthread_mutex_unlock(&counter_mutex);  // not held
  } else if (strcmp(name, "deep") == 0) {
    run_two(racing_deep, racing_deep);
  } else if (strcmp(name, "pairs") == 0) {
    pthread_t threads[4];
    for (int i = 0; i < 4; ++i) {
      pthread_create(&threads[i], nullptr, i % 2 ? racing_first : racing_second, nullptr);
    }
    for (pthread_t thread : threads) pthread_join(thread, nullptr);
  } else if (strcmp(name, "children") == 0) {
    int status = 0;
    for (int i = 0; i < 3; ++i) {
      if (fork() == 0) {
        run_two(racing, racing);
        exit(0);
      }
      wait(&status);
    }
  } else if (strcmp(name, "stall") == 0) {
    stall_and_race();
  } else {
    return 2;
  }
  puts("done");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return argc == 2 ? run(argv[1]) : 2;
}
