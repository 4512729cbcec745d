// Locks taken in orders that can deadlock and in such that can't, each by a mode of its own. None
// does deadlock: the threads run one after the other where they could.
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>

#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kTimes = 200;

void one_after_the_other(const std::vector<std::function<void()>>& bodies) {
  for (const auto& body : bodies) std::thread(body).join();
}
void together(const std::vector<std::function<void()>>& bodies) {
  std::vector<std::thread> threads;
  for (const auto& body : bodies) threads.emplace_back(body);
  for (std::thread& thread : threads) thread.join();
}

std::mutex accounts;
std::mutex journal;
std::mutex archive;
long sum = 0;

// In these functions the line of an acquisition is told apart by its function.
template <typename A, typename B>
__attribute__((noinline)) void forwards(A& a, B& b) {
  const std::lock_guard first(a);
  const std::lock_guard second(b);
  ++sum;
}
template <typename A, typename B>
__attribute__((noinline)) void backwards(A& a, B& b) {
  const std::lock_guard first(b);
  const std::lock_guard second(a);
  ++sum;
}

// Correct ones.

void producer_consumer() {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<int> queue;
  together({[&] {
              for (int i = 0; i < kTimes; ++i) {
                const std::lock_guard outer(accounts);
                const std::lock_guard lock(mutex);
                queue.push_back(i);
                changed.notify_one();
              }
            },
            [&] {
              for (int i = 0; i < kTimes; ++i) {
                std::unique_lock lock(mutex);
                changed.wait(lock, [&] { return !queue.empty(); });
                queue.pop_front();
              }
            }});
}

std::shared_mutex table;
std::shared_mutex index_of_table;

void readers_writer() {
  const auto reader = [] {
    for (int i = 0; i < kTimes; ++i) {
      const std::shared_lock one(table);
      const std::shared_lock other(index_of_table);
      ++i;
    }
  };
  const auto other_reader = [] {
    for (int i = 0; i < kTimes; ++i) {
      const std::shared_lock other(index_of_table);
      const std::shared_lock one(table);
      ++i;
    }
  };
  together({reader, other_reader, reader, other_reader});
  together({[] {
              for (int i = 0; i < kTimes; ++i) {
                const std::unique_lock lock(table);
                ++sum;
              }
            },
            reader});
}

void hierarchy() {
  const auto body = [] {
    for (int i = 0; i < kTimes; ++i) {
      const std::lock_guard a(accounts);
      const std::lock_guard b(journal);
      const std::lock_guard c(archive);
      ++sum;
    }
  };
  together({body, body, body});
}

void back_off() {
  together({[] {
              for (int i = 0; i < kTimes; ++i) const std::scoped_lock lock(accounts, journal);
            },
            [] {
              for (int i = 0; i < kTimes; ++i) const std::scoped_lock lock(journal, accounts);
            },
            [] {
              for (int i = 0; i < kTimes; ++i) {
                const std::lock_guard first(journal);
                if (accounts.try_lock()) accounts.unlock();
              }
            }});
}

struct Node {
  std::mutex mutex;
  int value = 0;
  Node* next = nullptr;
};

void hand_over_hand() {
  std::vector<std::unique_ptr<Node>> nodes;
  for (int i = 0; i < 50; ++i) {
    nodes.push_back(std::make_unique<Node>());
    if (i > 0) nodes[static_cast<size_t>(i) - 1]->next = nodes.back().get();
  }
  const auto walk = [&] {
    for (int i = 0; i < kTimes; ++i) {
      Node* node = nodes.front().get();
      node->mutex.lock();
      while (node->next) {
        Node* const next = node->next;
        next->mutex.lock();
        ++next->value;
        node->mutex.unlock();
        node = next;
      }
      node->mutex.unlock();
    }
  };
  together({walk, walk});
}

void pool() {
  std::mutex queue_mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> queue;
  bool done = false;
  const auto worker = [&] {
    for (;;) {
      std::unique_lock lock(queue_mutex);
      changed.wait(lock, [&] { return done || !queue.empty(); });
      if (queue.empty()) return;
      const auto work = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      work();
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) workers.emplace_back(worker);
  for (int i = 0; i < kTimes; ++i) {
    const std::lock_guard lock(queue_mutex);
    queue.push_back([] {
      const std::lock_guard first(accounts);
      const std::lock_guard second(journal);
      ++sum;
    });
    changed.notify_one();
  }
  {
    const std::lock_guard lock(queue_mutex);
    done = true;
    changed.notify_all();
  }
  for (std::thread& one : workers) one.join();
}

void gate() {
  together({[] {
              for (int i = 0; i < kTimes; ++i) {
                const std::lock_guard lock(archive);
                forwards(accounts, journal);
              }
            },
            [] {
              for (int i = 0; i < kTimes; ++i) {
                const std::lock_guard lock(archive);
                backwards(accounts, journal);
              }
            }});
}

void recursive() {
  static std::recursive_mutex mutex;
  one_after_the_other({[] {
                         const std::lock_guard once(mutex);
                         const std::lock_guard lock(journal);
                         const std::lock_guard again(mutex);
                       },
                       [] {
                         const std::lock_guard once(mutex);
                         const std::lock_guard lock(journal);
                         const std::lock_guard again(mutex);
                       }});
}

// The wait gives one lock up while the other is held, and takes it again.
void condition() {
  static std::condition_variable changed;
  static bool ready = false;
  together({[] {
              std::unique_lock first(accounts);
              const std::lock_guard second(journal);
              changed.wait(first, [] { return ready; });
            },
            [] {
              const std::lock_guard first(accounts);
              ready = true;
              changed.notify_all();
            }});
}

struct PthreadMutex {
  explicit PthreadMutex(pthread_mutex_t* mutex) : mutex_(mutex) {}
  void lock() { pthread_mutex_lock(mutex_); }
  void unlock() { pthread_mutex_unlock(mutex_); }
  pthread_mutex_t* mutex_;
};

// A thread that is cancelled in its wait has its mutex again, and gives it up in its clean-up. Then
// it is free to be taken after what was taken inside it before.
void cancelled() {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
  const auto wait = [](void*) -> void* {
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push([](void*) { pthread_mutex_unlock(&mutex); }, nullptr);
    for (;;) pthread_cond_wait(&never, &mutex);
    pthread_cleanup_pop(1);
  };
  for (int i = 0; i < 20; ++i) {
    pthread_t thread;
    pthread_create(&thread, nullptr, wait, nullptr);
    usleep(1000);
    pthread_cancel(thread);
    pthread_join(thread, nullptr);
    PthreadMutex again(&mutex);
    forwards(accounts, again);
  }
}

// Two locks that are initialised, used and destroyed again and again, at the same two addresses.
void recreated() {
  static pthread_mutex_t mutexes[2];
  for (int i = 0; i < 20; ++i) {
    for (pthread_mutex_t& mutex : mutexes) pthread_mutex_init(&mutex, nullptr);
    one_after_the_other({[i] {
      pthread_mutex_lock(&mutexes[i % 2]);
      pthread_mutex_lock(&mutexes[1 - i % 2]);
      pthread_mutex_unlock(&mutexes[1 - i % 2]);
      pthread_mutex_unlock(&mutexes[i % 2]);
    }});
    for (pthread_mutex_t& mutex : mutexes) pthread_mutex_destroy(&mutex);
  }
}

// The same with mutexes that need neither, in memory that is freed and allocated again.
void reused() {
  struct Two {
    std::mutex first, second;
  };
  std::map<Two*, int> seen;
  for (int i = 0; i < 20; ++i) {
    const auto two = std::make_unique<Two>();
    ++seen[two.get()];
    one_after_the_other({[&] {
      if (i % 2) {
        forwards(two->first, two->second);
      } else {
        backwards(two->first, two->second);
      }
    }});
  }
}

void on_stack() {
  for (int i = 0; i < 20; ++i) {
    std::mutex two[2];
    one_after_the_other({[&] { forwards(two[i % 2], two[1 - i % 2]); }});
  }
}

// Semaphores that hand work over, between locks.
void signals() {
  static sem_t wanted, given;
  sem_init(&wanted, 0, 0);
  sem_init(&given, 0, 0);
  together({[] {
              const std::lock_guard lock(accounts);
              for (int i = 0; i < kTimes; ++i) {
                sem_post(&wanted);
                sem_wait(&given);
              }
            },
            [] {
              for (int i = 0; i < kTimes; ++i) {
                sem_wait(&wanted);
                sem_post(&given);
              }
            }});
}

// Wrong ones.

void in_variables() {
  one_after_the_other({[] { forwards(accounts, journal); }, [] { backwards(accounts, journal); }});
}

pthread_mutex_t* new_mutex() {
  auto* mutex = new pthread_mutex_t;
  pthread_mutex_init(mutex, nullptr);
  return mutex;
}

void initialised() {
  PthreadMutex a(new_mutex());
  PthreadMutex b(new_mutex());
  one_after_the_other({[&] { forwards(a, b); }, [&] { backwards(a, b); }});
}

// They end before anybody has read what was told of them, and others begin in their place.
void destroyed() {
  pthread_mutex_t* const mutexes[2] = {new_mutex(), new_mutex()};
  PthreadMutex a(mutexes[0]);
  PthreadMutex b(mutexes[1]);
  one_after_the_other({[&] { forwards(a, b); }, [&] { backwards(a, b); }});
  for (pthread_mutex_t* mutex : mutexes) {
    pthread_mutex_destroy(mutex);
    *mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
  }
}

void on_heap() {
  const auto a = std::make_unique<std::mutex>();
  const auto b = std::make_unique<std::mutex>();
  one_after_the_other({[&] { forwards(*a, *b); }, [&] { backwards(*a, *b); }});
}

// A wait on a condition takes its mutex again, here while another is held.
__attribute__((noinline)) void wait_holding(std::mutex& a, std::mutex& b) {
  static std::condition_variable never;
  std::unique_lock first(a);
  const std::lock_guard second(b);
  never.wait_for(first, std::chrono::milliseconds(5));
}

void waited() {
  one_after_the_other(
      {[] { wait_holding(accounts, journal); }, [] { forwards(accounts, journal); }});
}

void three_ways() {
  one_after_the_other({[] { forwards(accounts, journal); }, [] { forwards(journal, archive); },
                       [] { forwards(archive, accounts); }});
}

std::mutex forks[5];

__attribute__((noinline)) void dine(size_t seat) {
  const std::lock_guard left(forks[seat]);
  const std::lock_guard right(forks[(seat + 1) % 5]);
  ++sum;
}

void philosophers() {
  std::vector<std::function<void()>> all;
  for (size_t seat = 0; seat < 5; ++seat) all.emplace_back([seat] { dine(seat); });
  one_after_the_other(all);
}

__attribute__((noinline)) void read_then_lock() {
  const std::shared_lock first(table);
  const std::lock_guard second(journal);
}
__attribute__((noinline)) void lock_then_write() {
  const std::lock_guard first(journal);
  const std::unique_lock second(table);
}

void reader_and_writer() {
  one_after_the_other({read_then_lock, lock_then_write});
}

mtx_t c11_accounts, c11_journal;

struct C11Mutex {
  explicit C11Mutex(mtx_t* mutex) : mutex_(mutex) {}
  void lock() { mtx_lock(mutex_); }
  void unlock() { mtx_unlock(mutex_); }
  mtx_t* mutex_;
};

void c11() {
  mtx_init(&c11_accounts, mtx_plain);
  mtx_init(&c11_journal, mtx_plain);
  C11Mutex a(&c11_accounts), b(&c11_journal);
  one_after_the_other({[&] { forwards(a, b); }, [&] { backwards(a, b); }});
}

pthread_spinlock_t spin_accounts, spin_journal;

struct SpinLock {
  explicit SpinLock(pthread_spinlock_t* lock) : lock_(lock) {}
  void lock() { pthread_spin_lock(lock_); }
  void unlock() { pthread_spin_unlock(lock_); }
  pthread_spinlock_t* lock_;
};

void spin() {
  pthread_spin_init(&spin_accounts, 0);
  pthread_spin_init(&spin_journal, 0);
  SpinLock a(&spin_accounts), b(&spin_journal);
  one_after_the_other({[&] { forwards(a, b); }, [&] { backwards(a, b); }});
}

const std::map<std::string, void (*)()> kModes = {
    {"producer_consumer", producer_consumer},
    {"readers_writer", readers_writer},
    {"hierarchy", hierarchy},
    {"back_off", back_off},
    {"hand_over_hand", hand_over_hand},
    {"pool", pool},
    {"gate", gate},
    {"recursive", recursive},
    {"condition", condition},
    {"cancelled", cancelled},
    {"recreated", recreated},
    {"reused", reused},
    {"on_stack", on_stack},
    {"signals", signals},
    {"in_variables", in_variables},
    {"initialised", initialised},
    {"destroyed", destroyed},
    {"on_heap", on_heap},
    {"waited", waited},
    {"three_ways", three_ways},
    {"philosophers", philosophers},
    {"reader_and_writer", reader_and_writer},
    {"c11", c11},
    {"spin", spin},
};

}  // namespace

int main(int argc, char** argv) {
  const auto mode = kModes.find(argc > 1 ? argv[1] : "");
  if (mode == kModes.end()) {
    std::fputs("lock_orders: name a mode\n", stderr);
    return 2;
  }
  mode->second();
  return 0;
}
