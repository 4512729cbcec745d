// no_loops KIND: programs that wait again and again and are no event loops.
#include <dlfcn.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/integration/targets/loops/iterations.h"

namespace {

using loops::sleep_ms;

constexpr int kJobs = 40;
constexpr int kWorkers = 3;

// Most jobs are quick, every third is long.
void do_job(int number) {
  if (number % 3 == 2) sleep_ms(150);
}

// A pool of workers that wait for jobs; `give` hands out one, `take` waits for one.
template <typename Give, typename Take>
void run_pool(int workers, Give give, Take take) {
  std::vector<std::thread> pool;
  for (int i = 0; i < workers; ++i) {
    pool.emplace_back([&] {
      for (int number = 0; take(); ++number) do_job(number);
    });
  }
  for (int i = 0; i < kJobs; ++i) {
    give();
    sleep_ms(2);
  }
  sleep_ms(300);
  _exit(0);  // whatever the workers do
}

void condition_variable_pool(int) {
  std::mutex mutex;
  std::condition_variable changed;
  int jobs = 0;
  run_pool(
      kWorkers,
      [&] {
        const std::lock_guard lock(mutex);
        ++jobs;
        changed.notify_one();
      },
      [&] {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return jobs > 0; });
        --jobs;
        return true;
      });
}

void semaphore_pool(int) {
  sem_t jobs;
  sem_init(&jobs, 0, 0);
  run_pool(
      kWorkers, [&] { sem_post(&jobs); }, [&] { return sem_wait(&jobs) == 0; });
}

void eventfd_pool(int flags, int workers) {
  const int jobs = eventfd(0, EFD_CLOEXEC | flags);
  run_pool(
      workers, [&] { eventfd_write(jobs, 1); },
      [&] {
        uint64_t count = 0;
        return read(jobs, &count, sizeof count) > 0;
      });
}
void shared_eventfd_pool(int) {
  eventfd_pool(0, kWorkers);
}
void semaphore_eventfd_worker(int) {
  eventfd_pool(EFD_SEMAPHORE, 1);
}
void eventfd_worker(int) {
  eventfd_pool(0, 1);
}

void pipe_pool(int) {
  int ends[2];
  if (pipe(ends) != 0) abort();
  run_pool(
      kWorkers, [&] { (void)!write(ends[1], "x", 1); },
      [&] {
        char job = 0;
        return read(ends[0], &job, 1) > 0;
      });
}

// Workers that look for jobs with poll, as they have a deadline.
void polling_pool(int) {
  int ends[2];
  if (pipe(ends) != 0) abort();
  run_pool(
      kWorkers, [&] { (void)!write(ends[1], "x", 1); },
      [&] {
        pollfd entry{ends[0], POLLIN, 0};
        if (poll(&entry, 1, 1000) <= 0) return true;
        char job = 0;
        return read(ends[0], &job, 1) > 0;
      });
}

// A database's backends: each serves one client to its end, which then works for long.
void forking_server(int) {
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listening, generic, length) != 0 || listen(listening, 8) != 0 ||
      getsockname(listening, generic, &length) != 0) {
    abort();
  }
  const pid_t clients = fork();
  if (clients == 0) {
    for (int i = 0; i < 3; ++i) {
      const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (connect(client, generic, length) != 0) _exit(1);
      for (int query = 0; query < 12; ++query) {
        char answer = 0;
        if (write(client, "?", 1) != 1 || read(client, &answer, 1) != 1) _exit(1);
      }
      close(client);
    }
    _exit(0);
  }
  for (int i = 0; i < 3; ++i) {
    const int client = accept(listening, nullptr, nullptr);
    const pid_t backend = fork();
    if (backend == 0) {
      for (;;) {
        pollfd entry{client, POLLIN, 0};
        char query = 0;
        if (poll(&entry, 1, -1) <= 0 || read(client, &query, 1) != 1) _exit(0);
        sleep_ms(150);
        if (write(client, "!", 1) != 1) _exit(1);
      }
    }
    close(client);
    waitpid(backend, nullptr, 0);
  }
  waitpid(clients, nullptr, 0);
}

// A thread that handles the program's signals, some of them slowly.
void signal_thread(int) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread handler([&] {
    int number = 0;
    for (int i = 0; sigwait(&set, &number) == 0 && number != SIGTERM; ++i) {
      if (i % 5 == 2) sleep_ms(150);
    }
  });
  for (int i = 0; i < 50; ++i) {
    pthread_kill(handler.native_handle(), SIGHUP);
    sleep_ms(i % 5 == 2 ? 170 : 5);
  }
  pthread_kill(handler.native_handle(), SIGTERM);
  handler.join();
}

// Single waits with a timeout, each at its place, and work in between.
void single_polls(int) {
  int ends[2];
  if (pipe(ends) != 0) abort();
  for (int i = 0; i < 6; ++i) {
    pollfd entry{ends[0], POLLIN, 0};
    poll(&entry, 1, 20);
    sleep_ms(150);
    timeval patience{0, 20'000};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    select(ends[0] + 1, &set, nullptr, nullptr, &patience);
    sleep_ms(150);
  }
}

// A process that loads a module, waits once for it to be ready, and goes on getting ready.
void slow_start(int) {
  dlopen("libresolv.so.2", RTLD_NOW);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  epoll_wait(epoll, &event, 1, 10);
  dlopen("librt.so.1", RTLD_NOW);
  sleep_ms(300);
}

// A loop that forks a worker, which does long work with all that it has inherited.
void forking_workers(int) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  pid_t workers[3] = {};
  for (int i = 0; i < 90; ++i) {
    epoll_event event{};
    epoll_wait(epoll, &event, 1, 3);
    if (i % 30 != 10) continue;
    workers[i / 30] = fork();
    if (workers[i / 30] == 0) {
      sleep_ms(250);
      _exit(0);
    }
  }
  close(epoll);
  for (const pid_t worker : workers) waitpid(worker, nullptr, 0);
}

// A loop whose program takes its time to end, by exit() and from within the loop's last callback.
void slow_shutdown(int) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < 60; ++i) {
    epoll_event event{};
    epoll_wait(epoll, &event, 1, 3);
  }
  close(epoll);
  atexit([] { sleep_ms(300); });
  exit(0);
}

// A thread for each connection, as database servers have: it waits for the next request, and when
// its client has gone it rests until there is another.
void connection_threads(int) {
  std::mutex mutex;
  std::condition_variable changed;
  int clients[kWorkers];
  for (int& client : clients) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) abort();
    client = ends[1];
    std::thread([&, server = ends[0]] {
      for (;;) {
        pollfd entry{server, POLLIN, 0};
        char request = 0;
        if (poll(&entry, 1, 5000) <= 0 || read(server, &request, 1) != 1) break;
        if (request == 's') sleep_ms(150);
      }
      std::unique_lock lock(mutex);
      changed.wait(lock);
    }).detach();
  }
  for (int i = 0; i < 200; ++i) {
    for (const int client : clients) {
      if (write(client, i % 100 == 99 ? "s" : "q", 1) != 1) abort();
    }
    sleep_ms(i % 100 == 99 ? 200 : 3);
  }
  for (const int client : clients) close(client);
  sleep_ms(300);
  _exit(0);
}

// Threads that ask an epoll instance between jobs and wait for work on a condition, as the carriers
// of Java's virtual threads do.
void epoll_asked_between_jobs(int) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::mutex mutex;
  std::condition_variable changed;
  int jobs = 0;
  const auto take = [&] {
    epoll_event event{};
    for (int i = 0; i < 2; ++i) {
      if (epoll_wait(epoll, &event, 1, 0) != 0) abort();
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return jobs > 0; });
    --jobs;
  };
  for (int i = 0; i < 2; ++i) {
    std::thread([&] {
      for (;;) take();
    }).detach();
  }
  for (int i = 0; i < 200; ++i) {
    {
      const std::lock_guard lock(mutex);
      ++jobs;
      changed.notify_one();
    }
    sleep_ms(i % 40 == 39 ? 200 : 3);
  }
  _exit(0);
}

// Each of two threads asks ten times whether it may send, and then sleeps, as ZeroMQ's senders do.
void polling_senders(int) {
  const auto send = [] {
    const int server = eventfd(0, 0);
    for (int round = 0; round < 6; ++round) {
      for (int i = 0; i < 10; ++i) {
        pollfd entry{server, POLLIN, 0};
        if (poll(&entry, 1, 0) != 0) abort();
      }
      sleep_ms(150);
    }
  };
  std::thread first(send);
  std::thread second(send);
  first.join();
  second.join();
}

}  // namespace

int main(int argc, char** argv) {
  return loops::run_kind({{"condition variable pool", condition_variable_pool},
                          {"semaphore pool", semaphore_pool},
                          {"shared eventfd pool", shared_eventfd_pool},
                          {"semaphore eventfd worker", semaphore_eventfd_worker},
                          {"eventfd worker", eventfd_worker},
                          {"pipe pool", pipe_pool},
                          {"polling pool", polling_pool},
                          {"polling senders", polling_senders},
                          {"epoll asked between jobs", epoll_asked_between_jobs},
                          {"connection threads", connection_threads},
                          {"forking server", forking_server},
                          {"signal thread", signal_thread},
                          {"single polls", single_polls},
                          {"slow start", slow_start},
                          {"forking workers", forking_workers},
                          {"slow shutdown", slow_shutdown}},
                         argc, argv);
}
