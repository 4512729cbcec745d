// Loops on io_uring, with liburing and without. Linked with the shared library, its waits are
// calls; linked with the static one, they are system calls in the program's own code.
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/integration/targets/loops/iterations.h"

namespace loops {
namespace {

__kernel_timespec period{0, kPeriodMs * 1'000'000};

void prepare_timeout(io_uring& ring) {
  io_uring_prep_timeout(io_uring_get_sqe(&ring), &period, 0, 0);
}

// A loop on a ring with one timer; `wait` submits it and waits.
template <typename Wait>
void run(int stalls, Wait wait) {
  io_uring ring;
  if (io_uring_queue_init(8, &ring, 0) != 0) abort();
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    prepare_timeout(ring);
    io_uring_cqe* completion = nullptr;
    wait(ring, completion);
    if (io_uring_peek_cqe(&ring, &completion) != 0) continue;
    io_uring_cqe_seen(&ring, completion);
    iterations.handle_event();
  }
  io_uring_queue_exit(&ring);
}

void submit_and_wait(int stalls) {
  run(stalls, [](io_uring& ring, io_uring_cqe*&) { io_uring_submit_and_wait(&ring, 1); });
}
void wait_cqe(int stalls) {
  run(stalls, [](io_uring& ring, io_uring_cqe*& completion) {
    io_uring_submit(&ring);
    io_uring_wait_cqe(&ring, &completion);
  });
}
void wait_cqe_timeout(int stalls) {
  run(stalls, [](io_uring& ring, io_uring_cqe*& completion) {
    io_uring_submit(&ring);
    __kernel_timespec patience{1, 0};
    io_uring_wait_cqe_timeout(&ring, &completion, &patience);
  });
}
void submit_and_wait_timeout(int stalls) {
  run(stalls, [](io_uring& ring, io_uring_cqe*& completion) {
    __kernel_timespec patience{1, 0};
    io_uring_submit_and_wait_timeout(&ring, &completion, 1, &patience, nullptr);
  });
}

// The same by hand: no library, system calls by number.
class RawRing {
 public:
  RawRing() {
    io_uring_params parameters{};
    fd_ = static_cast<int>(syscall(SYS_io_uring_setup, 8, &parameters));
    if (fd_ < 0) abort();
    const auto map = [this](size_t size, off_t what) {
      return static_cast<char*>(
          mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, what));
    };
    char* submissions = map(parameters.sq_off.array + 8 * sizeof(unsigned), IORING_OFF_SQ_RING);
    char* completions = map(parameters.cq_off.cqes + parameters.cq_entries * sizeof(io_uring_cqe),
                            IORING_OFF_CQ_RING);
    entry_ = reinterpret_cast<io_uring_sqe*>(map(8 * sizeof(io_uring_sqe), IORING_OFF_SQES));
    submitted_ = reinterpret_cast<unsigned*>(submissions + parameters.sq_off.tail);
    seen_ = reinterpret_cast<unsigned*>(completions + parameters.cq_off.head);
    completed_ = reinterpret_cast<unsigned*>(completions + parameters.cq_off.tail);
    auto* order = reinterpret_cast<unsigned*>(submissions + parameters.sq_off.array);
    for (int i = 0; i < 8; ++i) order[i] = 0;
  }
  ~RawRing() { close(fd_); }

  // Waits for the end of a timeout.
  bool wait() {
    memset(entry_, 0, sizeof *entry_);
    entry_->opcode = IORING_OP_TIMEOUT;
    entry_->addr = reinterpret_cast<uint64_t>(&period);
    entry_->len = 1;
    __atomic_store_n(submitted_, *submitted_ + 1, __ATOMIC_RELEASE);
    syscall(SYS_io_uring_enter, fd_, 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
    if (__atomic_load_n(completed_, __ATOMIC_ACQUIRE) == *seen_) return false;
    __atomic_store_n(seen_, *seen_ + 1, __ATOMIC_RELEASE);
    return true;
  }

 private:
  int fd_ = -1;
  io_uring_sqe* entry_ = nullptr;
  unsigned* submitted_ = nullptr;
  unsigned* seen_ = nullptr;
  unsigned* completed_ = nullptr;
};

void raw(int stalls) {
  RawRing ring;
  Iterations iterations(stalls);
  while (iterations.go_on()) {
    if (ring.wait()) iterations.handle_event();
  }
}

// A ring of one program after the other at the same address and descriptor, with a pause between.
[[gnu::noinline]] void one_of_two(int stalls) {
  submit_and_wait(stalls);
  sleep_ms(200);
}
void ended_and_begun(int stalls) {
  one_of_two(stalls);
  one_of_two(0);
  for (int i = 0; i < 2; ++i) {
    RawRing ring;
    Iterations iterations(0);
    while (iterations.go_on()) {
      if (ring.wait()) iterations.handle_event();
    }
    sleep_ms(200);
  }
}

}  // namespace

std::vector<Kind> ring_loops() {
  return {{"ring", submit_and_wait},
          {"ring wait_cqe", wait_cqe},
          {"ring wait_cqe_timeout", wait_cqe_timeout},
          {"ring submit_and_wait_timeout", submit_and_wait_timeout},
          {"ring raw", raw},
          {"rings ended and begun", ended_and_begun}};
}

}  // namespace loops
