// Correct programs whose threads wait for each other all the time, one after the other: nobody ever
// waits for good. The argument: milliseconds for each.
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "tests/integration/targets/locks/named_thread.h"

namespace {

std::chrono::steady_clock::time_point end_of_part;
bool goes_on() {
  return std::chrono::steady_clock::now() < end_of_part;
}
void hold_for_a_moment() {
  std::this_thread::sleep_for(std::chrono::microseconds(300));
}

void run(int threads, const std::function<void(int)>& work) {
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.push_back(named_thread("worker", [=] { work(i); }));
  for (auto& thread : all) thread.join();
}

void producers_and_consumers() {
  std::mutex lock;
  std::condition_variable filled;
  std::condition_variable emptied;
  std::deque<int> queue;
  bool closed = false;
  std::vector<std::thread> consumers;
  for (int i = 0; i < 3; ++i) {
    consumers.push_back(named_thread("consumer", [&] {
      for (;;) {
        std::unique_lock held(lock);
        filled.wait(held, [&] { return closed || !queue.empty(); });
        if (queue.empty()) return;
        queue.pop_front();
        emptied.notify_one();
        hold_for_a_moment();
      }
    }));
  }
  run(3, [&](int i) {
    while (goes_on()) {
      std::unique_lock held(lock);
      emptied.wait(held, [&] { return queue.size() < 16; });
      queue.push_back(i);
      filled.notify_one();
    }
  });
  {
    const std::lock_guard held(lock);
    closed = true;
    filled.notify_all();
  }
  for (auto& consumer : consumers) consumer.join();
}

void semaphore_queue() {
  sem_t empty;
  sem_t full;
  sem_init(&empty, 0, 2);
  sem_init(&full, 0, 0);
  std::atomic<int> rounds{0};
  std::thread producer = named_thread("producer", [&] {
    while (goes_on()) {
      sem_wait(&empty);
      ++rounds;
      sem_post(&full);
      hold_for_a_moment();
    }
    rounds = -1;
    sem_post(&full);
  });
  while (rounds >= 0) {
    sem_wait(&full);
    hold_for_a_moment();
    sem_post(&empty);
  }
  producer.join();
}

void readers_and_writer() {
  std::shared_mutex lock;
  run(4, [&](int i) {
    while (goes_on()) {
      if (i == 0) {
        const std::unique_lock held(lock);
        hold_for_a_moment();
      } else {
        const std::shared_lock held(lock);
        hold_for_a_moment();
      }
    }
  });
}

void hierarchy() {
  std::mutex levels[3];
  run(4, [&](int) {
    while (goes_on()) {
      const std::lock_guard outer(levels[0]);
      const std::lock_guard middle(levels[1]);
      const std::lock_guard inner(levels[2]);
      hold_for_a_moment();
    }
  });
}

void try_and_back_off() {
  std::mutex one;
  std::mutex two;
  run(4, [&](int i) {
    while (goes_on()) {
      std::mutex& first = i % 2 == 0 ? one : two;
      std::mutex& second = i % 2 == 0 ? two : one;
      first.lock();
      if (second.try_lock()) {
        hold_for_a_moment();
        second.unlock();
      }
      first.unlock();
      const std::scoped_lock both(first, second);
    }
  });
}

void hand_over_hand() {
  constexpr int kNodes = 8;
  std::mutex nodes[kNodes];
  run(4, [&](int) {
    while (goes_on()) {
      nodes[0].lock();
      for (int i = 1; i < kNodes; ++i) {
        nodes[i].lock();
        nodes[i - 1].unlock();
        hold_for_a_moment();
      }
      nodes[kNodes - 1].unlock();
    }
  });
}

void recursion_and_barriers() {
  std::recursive_mutex lock;
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 3);
  std::atomic<bool> over{false};
  run(3, [&](int i) {
    while (!over) {
      {
        const std::lock_guard outer(lock);
        const std::lock_guard inner(lock);
        hold_for_a_moment();
      }
      if (i == 0 && !goes_on()) over = true;
      pthread_barrier_wait(&barrier);
      pthread_barrier_wait(&barrier);
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::chrono::milliseconds length(argc > 1 ? atoi(argv[1]) : 500);
  for (auto* part : {producers_and_consumers, semaphore_queue, readers_and_writer, hierarchy,
                     try_and_back_off, hand_over_hand, recursion_and_barriers}) {
    end_of_part = std::chrono::steady_clock::now() + length;
    part();
  }
  return 0;
}
