// Callbacks that wait for another process's message, semaphore or file lock. (The other process is
// a thread or a child here.)

#include <fcntl.h>
#include <mqueue.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "demos/echo/callbacks.h"
#include "demos/echo/later.h"
#include "demos/echo/pipe.h"

namespace tailback::demo {
namespace {

struct Message {
  long type = 1;
  char text[16] = "hello";
};

void block_in_msgrcv(Milliseconds length) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  const Later release(length, [queue] {
    const Message message;
    msgsnd(queue, &message, sizeof message.text, 0);
  });
  Message message;
  // EXPECT stall on="message msgrcv" cause=ipc call=msgrcv function=block_in_msgrcv
  msgrcv(queue, &message, sizeof message.text, 1, 0);
  msgctl(queue, IPC_RMID, nullptr);
}

void block_in_semop(Milliseconds length) {
  const int set = semget(IPC_PRIVATE, 1, 0600);
  sembuf up{0, 1, 0};
  sembuf down{0, -1, 0};
  const Later release(length, [set, &up] { semop(set, &up, 1); });
  // EXPECT stall on="message semop" cause=ipc call=semop function=block_in_semop
  semop(set, &down, 1);
  semctl(set, 0, IPC_RMID);
}

void block_in_mq_receive(Milliseconds length) {
  const std::string name = "/tailback-demo-" + std::to_string(getpid());
  mq_attr attributes{};
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 16;
  const mqd_t queue = mq_open(name.c_str(), O_RDWR | O_CREAT, 0600, &attributes);
  mq_unlink(name.c_str());
  const Later release(length, [queue] { mq_send(queue, "hello", 5, 0); });
  char text[16];
  // EXPECT stall on="message mq_receive" cause=ipc call=mq_receive object="/tailback-demo-"
  // function=block_in_mq_receive
  mq_receive(queue, text, sizeof text, nullptr);
  mq_close(queue);
}

// A file that a child has locked for a while.
class LockedFile {
 public:
  template <typename Lock>
  LockedFile(Milliseconds length, Lock lock) {
    fd_ = mkstemp(path_);
    child_ = fork();
    if (child_ == 0) {
      const int own = open(path_, O_RDWR);
      lock(own);
      locked_.put_byte();
      const timespec duration = to_timespec(length);
      nanosleep(&duration, nullptr);
      _exit(0);
    }
    char byte;
    const ssize_t count = read(locked_.reader(), &byte, 1);
    static_cast<void>(count);
  }
  ~LockedFile() {
    waitpid(child_, nullptr, 0);
    close(fd_);
    unlink(path_);
  }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;

  int fd() const { return fd_; }

 private:
  char path_[32] = "/tmp/tailback-locked-XXXXXX";
  Pipe locked_;
  int fd_ = -1;
  pid_t child_ = -1;
};

void block_in_flock(Milliseconds length) {
  const LockedFile file(length, [](int fd) { flock(fd, LOCK_EX); });
  // EXPECT stall on="message flock" cause=file call=flock object="/tmp/tailback-locked-"
  // function=block_in_flock
  flock(file.fd(), LOCK_EX);
}

void set_lock(int fd, int command) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  fcntl(fd, command, &lock);
}

void block_in_fcntl(Milliseconds length) {
  const LockedFile file(length, [](int fd) { set_lock(fd, F_SETLK); });
  struct flock lock {};
  lock.l_type = F_WRLCK;
  // EXPECT stall on="message fcntl" cause=file call=fcntl|fcntl64 object="/tmp/tailback-locked-"
  // function=block_in_fcntl
  fcntl(file.fd(), F_SETLKW, &lock);
}

void block_in_lockf(Milliseconds length) {
  const LockedFile file(length, [](int fd) { set_lock(fd, F_SETLK); });
  // EXPECT stall on="message lockf" cause=file call=lockf|lockf64 object="/tmp/tailback-locked-"
  // function=block_in_lockf
  const int locked = lockf(file.fd(), F_LOCK, 0);
  static_cast<void>(locked);
}

constexpr Callback kCallbacks[] = {
    {"message", "msgrcv", block_in_msgrcv},         {"message", "semop", block_in_semop},
    {"message", "mq_receive", block_in_mq_receive}, {"message", "flock", block_in_flock},
    {"message", "fcntl", block_in_fcntl},           {"message", "lockf", block_in_lockf},
};

}  // namespace

std::span<const Callback> message_callbacks() {
  return kCallbacks;
}

}  // namespace tailback::demo
