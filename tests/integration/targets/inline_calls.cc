// An event loop whose callback makes one system call by itself, which blocks for 300 ms:
// inline_calls NAME. It says "blocked PID MILLISECONDS". Without a name, its callbacks do nothing.

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "tests/integration/targets/inline_system_call.h"
#include "tests/integration/targets/one_long_iteration.h"
#include "tests/integration/targets/static_part.h"

namespace {

constexpr timespec kLength{0, 300'000'000};

// Ends a block from another thread, once it has lasted long enough.
class Later {
 public:
  explicit Later(std::function<void()> action)
      : thread_([action = std::move(action)] {
          nanosleep(&kLength, nullptr);
          action();
        }) {}

 private:
  std::jthread thread_;
};

// A process that does something, says so, and ends after the length of a block.
pid_t start_child(const std::function<void()>& action) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) abort();
  const pid_t child = fork();
  if (child == 0) {
    action();
    if (write(ready[1], "", 1) != 1) _exit(1);
    nanosleep(&kLength, nullptr);
    _exit(0);
  }
  char byte;
  if (read(ready[0], &byte, 1) != 1) abort();
  close(ready[0]);
  close(ready[1]);
  return child;
}

char buffer[64];
int ends[2];
int descriptor = -1;
pid_t child = 0;
uint32_t awaited_word = 0;
long result = 0;

void prepare_pipe() {
  if (pipe2(ends, O_CLOEXEC) != 0) abort();
}
void write_to_pipe() {
  if (write(ends[1], "x", 1) != 1) abort();
}

[[gnu::noinline]] void block_in_read() {
  const Later release(write_to_pipe);
  // EXPECT stall on="read" cause=ipc call=read object=pipe function=block_in_read
  INLINE_SYSTEM_CALL(result, SYS_read, ends[0], buffer, sizeof buffer, 0);
}

[[gnu::noinline]] void block_in_static_part() {
  const Later release(write_to_pipe);
  result = static_part_read(ends[0], buffer, sizeof buffer);
}

void prepare_flock() {
  descriptor = open("held.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  child = start_child([] { flock(open("held.lock", O_RDWR | O_CLOEXEC), LOCK_EX); });
}

[[gnu::noinline]] void block_in_flock() {
  // EXPECT stall on="flock" cause=file call=flock object="/held.lock" function=block_in_flock
  INLINE_SYSTEM_CALL(result, SYS_flock, descriptor, LOCK_EX, 0, 0);
}

void prepare_nothing() {}

[[gnu::noinline]] void block_in_futex() {
  const Later release([] {
    __atomic_store_n(&awaited_word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &awaited_word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  });
  // EXPECT stall on="futex" cause=wait call=futex object=awaited_word function=block_in_futex
  INLINE_SYSTEM_CALL(result, SYS_futex, &awaited_word, FUTEX_WAIT_PRIVATE, 0, 0);
}

sockaddr_in address{};

void prepare_accept() {
  descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(descriptor, generic, length) != 0 || listen(descriptor, 1) != 0 ||
      getsockname(descriptor, generic, &length) != 0) {
    abort();
  }
}

[[gnu::noinline]] void block_in_accept() {
  const Later release([] {
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address);
  });
  // EXPECT stall on="accept" cause=socket call=accept object="(listening)" function=block_in_accept
  INLINE_SYSTEM_CALL(result, SYS_accept, descriptor, 0, 0, 0);
}

void prepare_child() {
  child = start_child([] {});
}

[[gnu::noinline]] void block_in_wait4() {
  // EXPECT stall on="wait4" cause=process call=wait4 object="child " function=block_in_wait4
  INLINE_SYSTEM_CALL(result, SYS_wait4, child, 0, 0, 0);
}

void prepare_pidfd() {
  prepare_child();
  descriptor = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
}

[[gnu::noinline]] void block_in_poll() {
  pollfd entry{descriptor, POLLIN, 0};
  // EXPECT stall on="poll of a pidfd" cause=process call=poll object="child "
  // function=block_in_poll
  INLINE_SYSTEM_CALL(result, SYS_poll, &entry, 1, -1, 0);
}

void prepare_fifo() {
  mkdir("folder", 0700);
  mkfifo("folder/fifo", 0600);
  descriptor = open("folder", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

[[gnu::noinline]] void block_in_openat() {
  const Later release([] { open("folder/fifo", O_WRONLY | O_CLOEXEC); });
  // EXPECT stall on="openat" cause=ipc call=openat object="/folder/fifo" function=block_in_openat
  INLINE_SYSTEM_CALL(result, SYS_openat, descriptor, "fifo", O_RDONLY | O_CLOEXEC, 0);
}

[[gnu::noinline]] void block_in_nanosleep() {
  // EXPECT stall on="nanosleep" cause=sleep call=nanosleep function=block_in_nanosleep
  INLINE_SYSTEM_CALL(result, SYS_nanosleep, &kLength, 0, 0, 0);
}

struct Message {
  long type;
  char text[8];
};

void prepare_message_queue() {
  descriptor = msgget(IPC_PRIVATE, 0600);
}

[[gnu::noinline]] void block_in_msgrcv() {
  Message message{};
  const Later release([] {
    const Message sent{1, "hello"};
    msgsnd(descriptor, &sent, sizeof sent.text, 0);
    msgctl(descriptor, IPC_RMID, nullptr);
  });
  // EXPECT stall on="msgrcv" cause=ipc call=msgrcv object="message queue" function=block_in_msgrcv
  INLINE_SYSTEM_CALL(result, SYS_msgrcv, descriptor, &message, sizeof message.text, 0);
}

constexpr LongIteration kIterations[] = {
    {"", prepare_nothing, prepare_nothing},
    {"read", prepare_pipe, block_in_read},
    {"static read", prepare_pipe, block_in_static_part},
    {"flock", prepare_flock, block_in_flock},
    {"futex", prepare_nothing, block_in_futex},
    {"accept", prepare_accept, block_in_accept},
    {"wait4", prepare_child, block_in_wait4},
    {"poll of a pidfd", prepare_pidfd, block_in_poll},
    {"openat", prepare_fifo, block_in_openat},
    {"nanosleep", prepare_nothing, block_in_nanosleep},
    {"msgrcv", prepare_message_queue, block_in_msgrcv},
};

}  // namespace

int main(int argc, char** argv) {
  if (!run_named(argc, argv, kIterations)) return 2;
  return result < 0 ? 1 : 0;
}
