// Return values and errno of calls that fail, and errno untouched by calls that don't.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "answers.h"

using namespace hostile;

namespace {

// Arguments that no call accepts, out of the compiler's sight.
volatile int negative_one = -1;
void* volatile nowhere = reinterpret_cast<void*>(8);

void files() {
  char byte = 'x';
  Pipe empty(O_NONBLOCK);
  iovec vector = {&byte, 1};
  REPORT(read(-1, &byte, 1));
  REPORT(read(empty.out(), &byte, 1));
  REPORT(read(empty.in(), &byte, 1));
  REPORT(write(empty.out(), &byte, 1));
  REPORT(write(empty.in(), &byte, 1));
  REPORT(read(empty.out(), &byte, 1));
  REPORT(readv(empty.out(), &vector, 1));
  REPORT(readv(empty.out(), &vector, negative_one));
  REPORT(writev(-1, &vector, 1));
  REPORT(pread(empty.out(), &byte, 1, 0));
  REPORT(pwrite(empty.in(), &byte, 1, 0));
  REPORT(pread64(-1, &byte, 1, 0));
  REPORT(preadv(empty.out(), &vector, 1, 0));
  REPORT(pwritev(empty.in(), &vector, 1, 0));
  REPORT(read(empty.out(), nullptr, 0));
  REPORT(write(empty.in(), nowhere, 4));
  REPORT(open("/nowhere/at/all", O_RDONLY));
  REPORT(open(static_cast<const char*>(nowhere), O_RDONLY));
  REPORT(open("/", O_WRONLY));
  REPORT(open64("/proc/self/exe/x", O_RDONLY));
  REPORT(openat(-1, "relative", O_RDONLY));
  REPORT(creat("/", 0600));
  REPORT(fsync(empty.out()));
  REPORT(fdatasync(-1));
  const int created = open("made", O_CREAT | O_RDWR | O_EXCL, 0640);
  REPORT(open("made", O_CREAT | O_RDWR | O_EXCL, 0640));
  REPORT(write(created, "abc", 3));
  REPORT(pread(created, &byte, 1, 2));
  REPORT(fsync(created));
  unlink("made");
  say("byte %c\n", byte);
}

void sockets() {
  char byte = 'x';
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  bind(listener, reinterpret_cast<sockaddr*>(&address), length);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr* peer = reinterpret_cast<sockaddr*>(&address);
  REPORT(accept(listener, nullptr, nullptr));
  REPORT(connect(client, peer, length));
  listen(listener, 1);
  REPORT(accept(listener, nullptr, nullptr));
  REPORT(accept4(listener, nullptr, nullptr, -1));
  REPORT(connect(client, peer, length));
  REPORT(connect(client, peer, length));
  REPORT(connect(-1, peer, length));
  REPORT(recv(client, &byte, 1, MSG_DONTWAIT));
  REPORT(recv(listener, &byte, 1, 0));
  REPORT(recvfrom(client, &byte, 1, MSG_DONTWAIT, nullptr, nullptr));
  REPORT(recvmsg(client, nullptr, 0));
  REPORT(send(client, &byte, 1, MSG_NOSIGNAL));
  REPORT(shutdown(client, SHUT_WR));
  REPORT(send(client, &byte, 1, MSG_NOSIGNAL));
  REPORT(sendto(-1, &byte, 1, 0, nullptr, 0));
  REPORT(sendmsg(client, nullptr, 0));
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* result = nullptr;
  say("getaddrinfo: %d\n", getaddrinfo("not a number", nullptr, &hints, &result));
  hints.ai_flags = -1;
  say("getaddrinfo: %d\n", getaddrinfo("127.0.0.1", nullptr, &hints, &result));
  char host[64];
  say("getnameinfo: %d %s\n",
      getnameinfo(peer, length, host, sizeof host, nullptr, 0, NI_NUMERICHOST), host);
  close(client);
  close(listener);
}

void waits() {
  epoll_event event;
  pollfd closed = {999, POLLIN, 0};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(50, &set);
  timespec bad = {0, 1000000000};
  timeval negative = {-1, 0};
  timeval none = {0, 0};
  const int epoll = epoll_create1(0);
  REPORT(epoll_wait(-1, &event, 1, 0));
  REPORT(epoll_wait(epoll, &event, 0, 0));
  REPORT(epoll_wait(epoll, &event, 1, 0));
  REPORT(epoll_wait(epoll, &event, 1, 1));
  REPORT(epoll_wait(STDOUT_FILENO, &event, 1, 0));
  REPORT(epoll_pwait(epoll, &event, negative_one, 0, nullptr));
  REPORT(epoll_create(0));
  REPORT(epoll_create1(-1));
  REPORT(poll(&closed, 1, 0));
  say("revents %d\n", closed.revents);
  REPORT(poll(static_cast<pollfd*>(nowhere), static_cast<nfds_t>(negative_one), 0));
  REPORT(ppoll(&closed, 1, &bad, nullptr));
  REPORT(select(51, &set, nullptr, nullptr, &none));
  REPORT(select(0, nullptr, nullptr, nullptr, &negative));
  REPORT(pselect(0, nullptr, nullptr, nullptr, &bad, nullptr));
  REPORT(nanosleep(&bad, nullptr));
  REPORT(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, nullptr));
  REPORT(clock_nanosleep(12345, 0, &bad, nullptr));
  REPORT(usleep(1));
  REPORT(sleep(0));
  REPORT(waitpid(-1, nullptr, WNOHANG));
  REPORT(waitpid(1, nullptr, 0));
  REPORT(wait(nullptr));
  REPORT(wait4(-1, nullptr, -1, nullptr));
  REPORT(waitid(P_ALL, 0, nullptr, 0));
  REPORT(syscall(SYS_read, -1, nullptr, 0));
  REPORT(syscall(100000));
  close(epoll);
}

void semaphores() {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  timespec past = {1, 0};
  timespec bad = {1, 1000000000};
  timespec soon = deadline_in_ms(CLOCK_REALTIME, 2);
  REPORT(sem_trywait(&semaphore));
  REPORT(sem_timedwait(&semaphore, &past));
  REPORT(sem_timedwait(&semaphore, &soon));
  REPORT(sem_timedwait(&semaphore, &bad));
  REPORT(sem_clockwait(&semaphore, CLOCK_PROCESS_CPUTIME_ID, &past));
  sem_post(&semaphore);
  // What libc refuses it refuses also when the semaphore is free.
  REPORT(sem_timedwait(&semaphore, &bad));
  REPORT(sem_clockwait(&semaphore, CLOCK_PROCESS_CPUTIME_ID, &past));
  REPORT(sem_timedwait(&semaphore, &past));
  sem_post(&semaphore);
  REPORT(sem_wait(&semaphore));
}

}  // namespace

int main() {
  files();
  sockets();
  waits();
  semaphores();
  say("done\n");
  return 3;
}
