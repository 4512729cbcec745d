// Qt's event loop, with workers in threads of their own; in one turn it waits for a lock that one
// of them holds in a sleep.

#include <unistd.h>

#include <QCoreApplication>
#include <QMutex>
#include <QReadWriteLock>
#include <QSemaphore>
#include <QThread>
#include <QThreadPool>
#include <QTimer>
#include <QWaitCondition>
#include <chrono>
#include <string>

namespace {

QMutex cache_lock;
QMutex log_lock;
QReadWriteLock table_lock;
QSemaphore slots_left(2);
QSemaphore held;

constexpr int kIterations = 200;

__attribute__((noinline)) void wait_for_mutex() {
  QMutexLocker locker(&cache_lock);  // mutex
}

__attribute__((noinline)) void wait_for_log() {
  QMutexLocker locker(&log_lock);  // deadlock
}

__attribute__((noinline)) void wait_to_write() {
  QWriteLocker locker(&table_lock);  // rwlock
}

__attribute__((noinline)) void wait_for_slot() {
  slots_left.acquire(2);  // semaphore
  slots_left.release(2);
}

// Calls `callback(iteration)` every 5 ms.
template <typename Callback>
void run_iterations(Callback callback) {
  QTimer timer;
  int iteration = 0;
  QObject::connect(&timer, &QTimer::timeout, [&] {
    callback(iteration);
    if (++iteration == kIterations) QCoreApplication::quit();
  });
  timer.setTimerType(Qt::PreciseTimer);
  timer.start(5);
  QCoreApplication::exec();
}

void keep() {
  held.release();
  usleep(300'000);
}

// An object that lives in a thread of its own, with that thread's event loop.
class Worker {
 public:
  explicit Worker(const char* name) {
    thread_.setObjectName(name);
    object_.moveToThread(&thread_);
    thread_.start();
  }
  ~Worker() {
    thread_.quit();
    thread_.wait();
  }

  QObject* object() { return &object_; }
  template <typename Work>
  void post(Work work) {
    QMetaObject::invokeMethod(&object_, work, Qt::QueuedConnection);
  }

 private:
  QThread thread_;
  QObject object_;
};

// In one of the iterations waits, by `wait`, for what the worker holds in `hold`.
template <typename Hold, typename Wait>
void long_iteration(Hold hold, Wait wait) {
  Worker keeper("keeper");
  run_iterations([&](int iteration) {
    if (iteration != 40) return;
    keeper.post(hold);
    held.acquire();
    const auto begin = std::chrono::steady_clock::now();
    wait();
    const std::chrono::duration<double, std::milli> length =
        std::chrono::steady_clock::now() - begin;
    printf("blocked %d %.3f\n", getpid(), length.count());
  });
}

void mutex() {
  long_iteration(
      [] {
        QMutexLocker locker(&cache_lock);
        keep();
      },
      wait_for_mutex);
}

void rwlock() {
  long_iteration(
      [] {
        QReadLocker locker(&table_lock);
        keep();
      },
      wait_to_write);
}

void semaphore() {
  long_iteration(
      [] {
        slots_left.acquire();
        keep();
        slots_left.release();
      },
      wait_for_slot);
}

// Workers and the loop take the same locks in the same order.
void take_all() {
  QMutexLocker first(&cache_lock);
  QWriteLocker second(&table_lock);
  slots_left.acquire();
  QMutexLocker third(&log_lock);
  slots_left.release();
}

class Work : public QRunnable {
  void run() override {
    take_all();
    QMutexLocker locker(&cache_lock);
    usleep(300);
  }
};

void healthy() {
  Worker first("first");
  Worker second("second");
  QObject answers;
  int answered = 0;
  int iterations = 0;
  run_iterations([&](int iteration) {
    iterations = iteration;
    take_all();
    for (Worker* const worker : {&first, &second}) {
      worker->post([&] {
        take_all();
        QMetaObject::invokeMethod(
            &answers, [&] { ++answered; }, Qt::QueuedConnection);
      });
    }
    // Most of the time the pool has no work.
    if (iteration % 50 >= 10) return;
    for (int i = 0; i < 4; ++i) QThreadPool::globalInstance()->start(new Work);
  });
  QThreadPool::globalInstance()->waitForDone();
  printf("answered %d\n", answered);
}

// Two mutexes in two orders, one after the other.
void two_orders() {
  const auto take = [](QMutex& first, QMutex& second) {
    QMutexLocker outer(&first);
    QMutexLocker inner(&second);
  };
  Worker forwards("forwards");
  Worker backwards("backwards");
  run_iterations([&](int iteration) {
    if (iteration == 40) forwards.post([&] { take(cache_lock, log_lock); });
    if (iteration == 80) backwards.post([&] { take(log_lock, cache_lock); });
  });
}

// The loop and a worker take two locks, each in its own order.
void deadlock() {
  Worker other("other");
  QSemaphore left;
  run_iterations([&](int iteration) {
    if (iteration != 40) return;
    QMutexLocker outer(&cache_lock);
    other.post([&] {
      QMutexLocker log(&log_lock);
      held.release();
      left.acquire();
      wait_for_mutex();
    });
    held.acquire();
    left.release();
    printf("ready\n");
    fflush(stdout);
    wait_for_log();
  });
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "healthy") healthy();
  if (what == "mutex") mutex();
  if (what == "rwlock") rwlock();
  if (what == "semaphore") semaphore();
  if (what == "two-orders") two_orders();
  if (what == "deadlock") deadlock();
  return 0;
}
