// Polls and selects whose arguments are bad, empty or large, in the callbacks of a loop that polls
// at the same call site: there the recorder reads the descriptors.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>

#include <vector>

#include "program.h"

using namespace hostile;

namespace {

constexpr int kPatience = 5;

[[gnu::noinline]] int poll_at_one_place(pollfd* fds, nfds_t count, int timeout) {
  errno = 0;
  const int result = poll(fds, count, timeout);
  const int error = errno;
  asm volatile("" ::: "memory");  // no tail call: its call site is here
  errno = error;
  return result;
}

[[gnu::noinline]] int ppoll_at_one_place(pollfd* fds, nfds_t count, const timespec* timeout,
                                         const sigset_t* mask) {
  errno = 0;
  const int result = ppoll(fds, count, timeout, mask);
  const int error = errno;
  asm volatile("" ::: "memory");
  errno = error;
  return result;
}

[[gnu::noinline]] int select_at_one_place(int count, fd_set* reads, fd_set* writes,
                                          timeval timeout = {0, kPatience * 1000}) {
  errno = 0;
  const int result = select(count, reads, writes, nullptr, &timeout);
  const int error = errno;
  asm volatile("" ::: "memory");
  errno = error;
  return result;
}

void say_result(const char* what, int result) {
  const int error = errno;
  say("%s: %d, %s\n", what, result, error == 0 ? "no error" : strerrorname_np(error));
}

// A place that the compiler does not know.
template <typename T>
T* at(uintptr_t address) {
  asm("" : "+r"(address));
  return reinterpret_cast<T*>(address);
}

volatile sig_atomic_t handled = 0;

void poll_oddly(int silent, int ready) {
  pollfd entry{silent, POLLIN, 9};
  say_result("bad address", poll_at_one_place(at<pollfd>(8), 1, kPatience));
  say_result("bad address of none", poll_at_one_place(at<pollfd>(8), 0, kPatience));
  say_result("null of one", poll_at_one_place(at<pollfd>(0), 1, kPatience));
  say_result("more than there may be", poll_at_one_place(&entry, 1u << 30, kPatience));

  std::vector<pollfd> many(2000, pollfd{silent, POLLIN, 9});
  for (size_t i = 1; i < many.size(); i += 2) many[i].fd = -1;
  say_result("300", poll_at_one_place(many.data(), 300, kPatience));
  say_result("2000", poll_at_one_place(many.data(), 2000, kPatience));
  say("revents %d %d\n", many[0].revents, many[1].revents);

  pollfd some[] = {{-1, POLLIN, 9}, {-7, POLLIN, 9}, {silent, POLLIN, 9}};
  say_result("negative", poll_at_one_place(some, 3, kPatience));
  pollfd closed{1000, POLLIN, 9};
  say_result("closed", poll_at_one_place(&closed, 1, kPatience));
  say("revents %d\n", closed.revents);
  pollfd two[] = {{silent, POLLIN, 9}, {ready, POLLIN, 9}};
  say_result("ready", poll_at_one_place(two, 2, -1));
  say("revents %d %d\n", two[0].revents, two[1].revents);

  // An array that ends with the mapped memory, that may not be written, and that may not be read.
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  char* memory = static_cast<char*>(
      mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  munmap(memory + page, page);
  auto* last = reinterpret_cast<pollfd*>(memory + page - sizeof(pollfd));
  *last = {silent, POLLIN, 9};
  say_result("at the end", poll_at_one_place(last, 1, kPatience));
  say_result("beyond the end", poll_at_one_place(last, 2, kPatience));
  mprotect(memory, page, PROT_READ);
  say_result("not to be written", poll_at_one_place(last, 1, kPatience));
  mprotect(memory, page, PROT_NONE);
  say_result("not to be read", poll_at_one_place(last, 1, kPatience));
  munmap(memory, page);
}

void ppoll_oddly(int silent, int ready) {
  pollfd two[] = {{silent, POLLIN, 9}, {ready, POLLIN, 9}};
  const timespec none = {0, 0};
  const timespec patience = {0, kPatience * 1000000};
  const timespec negative = {-1, 0};
  const timespec too_large = {0, 2000000000};
  say_result("ppoll", ppoll_at_one_place(two, 1, &patience, nullptr));
  say_result("without a timeout", ppoll_at_one_place(two, 1, &none, nullptr));
  say_result("for ever", ppoll_at_one_place(two, 2, nullptr, nullptr));
  say_result("bad array", ppoll_at_one_place(at<pollfd>(8), 1, &patience, nullptr));
  say_result("negative timeout", ppoll_at_one_place(two, 1, &negative, nullptr));
  say_result("invalid timeout", ppoll_at_one_place(two, 1, &too_large, nullptr));

  // A signal that is pending, and that only the wait lets through.
  sigset_t blocked;
  sigset_t all_open;
  sigemptyset(&all_open);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
  handle(
      SIGUSR1, [](int) { handled = handled + 1; }, SA_RESTART);
  raise(SIGUSR1);
  const int before = handled;
  say_result("pending signal", ppoll_at_one_place(two, 1, &patience, &all_open));
  say("handled %d, then %d\n", before, static_cast<int>(handled));
  say_result("no signal", ppoll_at_one_place(two, 1, &patience, &all_open));
  handled = 0;
}

void select_oddly(int silent, int ready) {
  fd_set reads;
  const auto only = [&](int fd) {
    FD_ZERO(&reads);
    FD_SET(fd, &reads);
    return &reads;
  };
  say_result("1024", select_at_one_place(1024, only(silent), nullptr));
  say_result("no sets", select_at_one_place(1024, nullptr, nullptr));
  say_result("none", select_at_one_place(0, nullptr, nullptr));
  say_result("fewer than none", select_at_one_place(-1, only(silent), nullptr));
  say_result("bad set", select_at_one_place(64, at<fd_set>(8), nullptr));
  say_result("bad second set", select_at_one_place(64, only(silent), at<fd_set>(8)));
  say_result("closed", select_at_one_place(1024, only(1000), nullptr));
  say_result("negative timeout", select_at_one_place(64, only(silent), nullptr, {-1, 0}));
  say_result("ready", select_at_one_place(64, only(ready), nullptr));
  std::vector<fd_set> large(4);
  memset(large.data(), 0, large.size() * sizeof(fd_set));
  FD_SET(silent, large.data());
  say_result("3000", select_at_one_place(3000, large.data(), nullptr));
}

template <typename Body>
[[gnu::noinline]] void deeper(Body body) {
  volatile char frame[512];
  frame[0] = 1;
  body();
  frame[1] = frame[0];
}

}  // namespace

int main() {
  const rlimit files = {4096, 4096};
  setrlimit(RLIMIT_NOFILE, &files);
  Loop loop;
  loop.warm_up();
  const Pipe silent;
  const Pipe ready;
  (void)!write(ready.in(), "x", 1);
  const auto odd = [&] {
    poll_oddly(silent.out(), ready.out());
    ppoll_oddly(silent.out(), ready.out());
    select_oddly(silent.out(), ready.out());
  };
  for (int i = 0; i < 40; ++i) {
    const timespec patience = {1, 0};
    pollfd entry{ready.out(), POLLIN, 0};
    fd_set reads;
    FD_ZERO(&reads);
    FD_SET(ready.out(), &reads);
    poll_at_one_place(&entry, 1, 1000);
    ppoll_at_one_place(&entry, 1, &patience, nullptr);
    select_at_one_place(ready.out() + 1, &reads, nullptr);
    usleep(10000);
    // Where the loop is established: at its depth, and deeper.
    if (i == 37) odd();
    if (i == 38) deeper(odd);
  }
  say("done\n");
}
