// Threads cancelled inside the less usual calls that wait: streams, queues, semaphores, signals,
// locks that are points of cancellation and locks that are none.
#include <aio.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio_ext.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <threads.h>

#include "cancelled_thread.h"

using namespace hostile;

namespace {

Pipe silent;
Pipe full;
Pipe for_lines;
FILE* lines;
FILE* pouring;
int listener = -1;
int socket_ends[2];
int queue = -1;
pthread_t waiting_main;
mtx_t mutex;
cnd_t condition;
char block[1 << 20];

void in_write() {
  (void)!write(full.in(), block, sizeof block);
}
void in_readv() {
  char byte;
  const iovec vector = {&byte, 1};
  (void)!readv(silent.out(), &vector, 1);
}
void in_fgetc() {
  fgetc(lines);
}
void in_getline() {
  char* line = nullptr;
  size_t room = 0;
  (void)!getline(&line, &room, lines);
}
void in_fread() {
  char text[8];
  (void)!fread(text, 1, sizeof text, lines);
}
void in_fwrite() {
  (void)!fwrite(block, 1, sizeof block, pouring);
}
void in_open() {
  open("fifo", O_RDONLY);
}
void in_accept() {
  accept(listener, nullptr, nullptr);
}
void in_recvfrom() {
  char byte;
  recvfrom(socket_ends[0], &byte, 1, 0, nullptr, nullptr);
}
void in_recvmsg() {
  char byte;
  iovec vector = {&byte, 1};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  recvmsg(socket_ends[0], &message, 0);
}
void in_send() {
  while (send(socket_ends[0], block, sizeof block, 0) > 0) {
  }
}
void in_ppoll() {
  ppoll(nullptr, 0, nullptr, nullptr);
}
void in_pselect() {
  pselect(0, nullptr, nullptr, nullptr, nullptr, nullptr);
}
void in_epoll_pwait() {
  epoll_event event;
  epoll_pwait(epoll_create1(EPOLL_CLOEXEC), &event, 1, -1, nullptr);
}
void in_pause() {
  pause();
}
void in_sigsuspend() {
  sigset_t none;
  sigemptyset(&none);
  sigsuspend(&none);
}
void in_sigwait() {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR2);
  int number;
  sigwait(&one, &number);
}
void in_sigtimedwait() {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR2);
  const timespec long_time = {100, 0};
  sigtimedwait(&one, nullptr, &long_time);
}
void in_msgrcv() {
  char message[64];
  msgrcv(queue, message, 16, 0, 0);
}
void in_mq_receive() {
  static const mqd_t messages = [] {
    char name[64];
    snprintf(name, sizeof name, "/tailback-cancelled-%d", getpid());
    mq_attr attributes{};
    attributes.mq_maxmsg = 1;
    attributes.mq_msgsize = 16;
    const mqd_t made = mq_open(name, O_RDWR | O_CREAT, 0600, &attributes);
    mq_unlink(name);
    return made;
  }();
  char text[16];
  mq_receive(messages, text, sizeof text, nullptr);
}
void in_aio_suspend() {
  static aiocb reading;
  static char byte;
  reading.aio_fildes = silent.out();
  reading.aio_buf = &byte;
  reading.aio_nbytes = 1;
  static const int begun = aio_read(&reading);
  const aiocb* list[] = {&reading};
  if (begun == 0) aio_suspend(list, 1, nullptr);
}
void in_usleep() {
  usleep(100000000);
}
void in_sem_clockwait() {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  const timespec deadline = deadline_in_ms(CLOCK_MONOTONIC, 100000);
  sem_clockwait(&semaphore, CLOCK_MONOTONIC, &deadline);
}
void unlock(void*) {
  mtx_unlock(&mutex);
}
void in_cnd_wait() {
  mtx_lock(&mutex);
  pthread_cleanup_push(unlock, nullptr);
  for (;;) cnd_wait(&condition, &mutex);
  pthread_cleanup_pop(1);
}
void in_timed_join() {
  const timespec deadline = deadline_in_ms(CLOCK_REALTIME, 100000);
  pthread_timedjoin_np(waiting_main, nullptr, &deadline);
}
void in_clock_join() {
  const timespec deadline = deadline_in_ms(CLOCK_MONOTONIC, 100000);
  pthread_clockjoin_np(waiting_main, nullptr, CLOCK_MONOTONIC, &deadline);
}
void in_waitid() {
  siginfo_t info;
  waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
}
void in_lockf() {
  static const int file = open("locked", O_RDWR | O_CLOEXEC);
  lockf(file, F_LOCK, 0);
}
void in_fcntl() {
  static const int file = open("locked", O_RDWR | O_CLOEXEC);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  fcntl(file, F_OFD_SETLKW, &lock);
}

constexpr CancelledCall kCalls[] = {
    {"write", in_write, true},
    {"readv", in_readv, true},
    {"fgetc", in_fgetc, false},
    {"getline", in_getline, false},
    {"fread", in_fread, false},
    {"fwrite", in_fwrite, false},
    {"open", in_open, true},
    {"accept", in_accept, true},
    {"recvfrom", in_recvfrom, true},
    {"recvmsg", in_recvmsg, true},
    {"send", in_send, true},
    {"ppoll", in_ppoll, true},
    {"pselect", in_pselect, true},
    {"epoll_pwait", in_epoll_pwait, true},
    {"pause", in_pause, true},
    {"sigsuspend", in_sigsuspend, true},
    {"sigwait", in_sigwait, true},
    {"sigtimedwait", in_sigtimedwait, true},
    {"msgrcv", in_msgrcv, true},
    {"mq_receive", in_mq_receive, true},
    {"aio_suspend", in_aio_suspend, false},
    {"usleep", in_usleep, true},
    {"sem_clockwait", in_sem_clockwait, true},
    {"cnd_wait", in_cnd_wait, false},
    {"timedjoin", in_timed_join, false},
    {"clockjoin", in_clock_join, false},
    {"waitid", in_waitid, true},
    {"lockf", in_lockf, true},
    {"fcntl", in_fcntl, true},
};

// What a stream held was given back.
void look_at_stream(const CancelledCall& call) {
  if (call.make != in_fgetc && call.make != in_getline && call.make != in_fread) return;
  say("  the stream is free %d\n", ftrylockfile(lines) == 0);
  funlockfile(lines);
}

// No points of cancellation, and waits all of them: the cancelled thread goes on until it comes to
// one.
pthread_rwlock_t held = PTHREAD_RWLOCK_INITIALIZER;
pthread_mutex_t held_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_barrier_t barrier;
pthread_spinlock_t spin;
std::atomic<pid_t> locker{0};
std::atomic<int> passed{0};

void* take_all(void*) {
  locker = gettid();
  pthread_mutex_lock(&held_mutex);
  pthread_mutex_unlock(&held_mutex);
  ++passed;
  pthread_rwlock_rdlock(&held);
  pthread_rwlock_unlock(&held);
  ++passed;
  pthread_rwlock_wrlock(&held);
  pthread_rwlock_unlock(&held);
  ++passed;
  pthread_spin_lock(&spin);
  pthread_spin_unlock(&spin);
  ++passed;
  pthread_barrier_wait(&barrier);
  ++passed;
  syscall(SYS_getpid);
  char byte;
  recv(-1, &byte, 0, 0);  // here at last
  ++passed;
  return nullptr;
}

void not_in_locks() {
  pthread_spin_init(&spin, 0);
  pthread_barrier_init(&barrier, nullptr, 2);
  pthread_mutex_lock(&held_mutex);
  pthread_rwlock_wrlock(&held);
  pthread_spin_lock(&spin);
  pthread_t thread;
  pthread_create(&thread, nullptr, take_all, nullptr);
  while (locker == 0) usleep(100);
  until_asleep(locker);
  pthread_cancel(thread);
  until_asleep(locker);
  say("in a mutex: passed %d\n", passed.load());
  pthread_mutex_unlock(&held_mutex);
  while (passed < 1) usleep(100);
  until_asleep(locker);
  say("in a rwlock: passed %d\n", passed.load());
  pthread_rwlock_unlock(&held);
  while (passed < 3) usleep(100);
  pthread_spin_unlock(&spin);
  pthread_barrier_wait(&barrier);
  void* result = nullptr;
  pthread_join(thread, &result);
  say("canceled %d passed %d\n", result == PTHREAD_CANCELED, passed.load());
}

// Cancelled while it computes, in a loop that the observer holds for that: only an asynchronous
// cancellation ends it.
std::atomic<pid_t> computing{0};
// In a function of its own without anything to clean up: only such a one may be left anywhere. Its
// callers must not know that it throws nothing.
__attribute__((noipa)) void churn_for_ever() {
  volatile uint64_t sink = 0;
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
  for (;;) sink = sink + churn(100);
}
void* compute(void* handlers) {
  Loop loop;
  loop.warm_up();
  pthread_cleanup_push([](void* count) { ++*static_cast<int*>(count); }, handlers);
  loop.run(1, [](int) {
    computing = gettid();
    churn_for_ever();
  });
  pthread_cleanup_pop(1);
  return nullptr;
}
void while_computing() {
  for (const long ms : {0, 5, 50}) {
    computing = 0;
    int handlers = 0;
    pthread_t thread;
    pthread_create(&thread, nullptr, compute, &handlers);
    while (computing == 0) usleep(100);
    usleep(static_cast<useconds_t>(ms * 1000));
    void* result = nullptr;
    pthread_cancel(thread);
    pthread_join(thread, &result);
    say("computing: canceled %d handlers %d\n", result == PTHREAD_CANCELED, handlers);
  }
}

void prepare() {
  waiting_main = pthread_self();
  mtx_init(&mutex, mtx_plain);
  cnd_init(&condition);
  lines = fdopen(for_lines.out(), "r");
  pouring = fdopen(full.in(), "w");
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &one, nullptr);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  listen(listener, 1);
  socketpair(AF_UNIX, SOCK_STREAM, 0, socket_ends);
  queue = msgget(IPC_PRIVATE, 0600 | IPC_CREAT);
  (void)!system("mkfifo fifo; touch locked");
}

}  // namespace

int main() {
  prepare();
  Pipe locked;
  Pipe end;
  const pid_t child = fork();
  if (child == 0) {
    char byte = 'l';
    close(end.in());
    const int file = open("locked", O_RDWR);
    (void)!lockf(file, F_LOCK, 0);
    (void)!write(locked.in(), &byte, 1);
    _exit(read(end.out(), &byte, 1) == 0 ? 6 : 7);
  }
  char byte;
  (void)!read(locked.out(), &byte, 1);
  for (const CancelledCall& call : kCalls) {
    cancel_both_ways(call, "at once", at_once);
    look_at_stream(call);
    cancel_both_ways(call, "asleep", until_asleep);
    look_at_stream(call);
  }
  not_in_locks();
  while_computing();
  close(end.in());
  say_ending("child", wait_for(child));
  msgctl(queue, IPC_RMID, nullptr);
  unlink("fifo");
  unlink("locked");
  __fpurge(pouring);
  say("done\n");
}
