// A program whose threads stand still at the end of interesting stacks, and which says of each what
// an unwinder must find. For unwind_test and symbolize_test.
//
// Writes to standard output, for each thread
//   thread NAME TID LINE        LINE: of the call of stand_still()
//   registers IP SP RBX RBP R12 R13 R14 R15
//   frame ADDRESS               the return addresses of stand_still() and outwards, as the
//                               program's own unwinder has them
// and then "ready". It ends when its standard input does.
#include <alloca.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

int standing_mutex_data[4] = {1, 2, 3, 4};  // a variable to be named

namespace {

constexpr int kThreads = 10;  // main's among them
std::mutex output;
std::atomic<int> standing{0};
volatile int sink = 0;

struct Captured {
  uint64_t ip, sp, rbx, rbp, r12, r13, r14, r15;
};

// The frame of this function stays in place while the thread stands still. Registers are taken as
// the recorder takes them.
[[gnu::noinline]] void stand_still(const char* name, int line) {
  Captured here;
  asm volatile(
      "leaq 0f(%%rip), %%rax\n"
      "0:\n\t"
      "movq %%rax, 0(%0)\n\t"
      "movq %%rsp, 8(%0)\n\t"
      "movq %%rbx, 16(%0)\n\t"
      "movq %%rbp, 24(%0)\n\t"
      "movq %%r12, 32(%0)\n\t"
      "movq %%r13, 40(%0)\n\t"
      "movq %%r14, 48(%0)\n\t"
      "movq %%r15, 56(%0)\n\t"
      :
      : "d"(&here)
      : "rax", "memory");
  std::array<void*, 300> frames;
  const int count = backtrace(frames.data(), static_cast<int>(frames.size()));
  {
    std::lock_guard lock(output);
    std::printf("thread %s %ld %d\n", name, syscall(SYS_gettid), line);
    std::printf("registers %lx %lx %lx %lx %lx %lx %lx %lx\n", here.ip, here.sp, here.rbx, here.rbp,
                here.r12, here.r13, here.r14, here.r15);
    for (int i = 1; i < count; ++i)
      std::printf("frame %lx\n", reinterpret_cast<unsigned long>(frames[i]));
  }
  standing.fetch_add(1);
  while (true) syscall(SYS_pause);
}

#define STAND_STILL(name)        \
  do {                           \
    stand_still(name, __LINE__); \
    sink = sink + 1;             \
  } while (false)

// Frames through templates.
template <int N>
struct Tower {
  [[gnu::noinline]] static int climb(int x) {
    const int y = Tower<N - 1>::climb(x + N);
    sink = sink + y;
    return y + 1;
  }
};
template <>
struct Tower<0> {
  [[gnu::noinline]] static int climb(int x) {
    STAND_STILL("templates");
    return x;
  }
};

// Frames of a size that is known only at run time.
[[gnu::noinline]] int varying(int depth) {
  const auto size = static_cast<size_t>(100 + 77 * depth);
  auto* space = static_cast<volatile char*>(alloca(size));
  space[size - 1] = 1;
  if (depth > 0) {
    const int below = varying(depth - 1);
    return below + space[size - 1];
  }
  STAND_STILL("alloca");
  return space[0];
}

[[gnu::noinline]] void through_sort() {
  std::vector<int> numbers(40);
  for (int i = 0; i < 40; ++i) numbers[static_cast<size_t>(i)] = (i * 7919) % 40;
  int compared = 0;
  std::sort(numbers.begin(), numbers.end(), [&](int a, int b) {
    if (++compared == 50) STAND_STILL("sort");
    return a < b;
  });
  sink = sink + numbers[0];
}

int compare_once(const void* a, const void* b) {
  static std::atomic<int> compared{0};
  if (compared.fetch_add(1) == 20) STAND_STILL("qsort");
  return *static_cast<const int*>(a) - *static_cast<const int*>(b);
}

[[gnu::noinline]] void through_qsort() {
  std::array<int, 30> numbers;
  for (int i = 0; i < 30; ++i) numbers[static_cast<size_t>(i)] = (i * 31) % 30;
  std::qsort(numbers.data(), numbers.size(), sizeof(int), compare_once);
  sink = sink + numbers[0];
}

[[gnu::noinline]] void through_once() {
  static std::once_flag once;
  std::call_once(once, [] { STAND_STILL("once"); });
  sink = sink + 1;
}

void on_signal(int) {
  STAND_STILL("signal");
}

[[gnu::noinline]] void through_signal() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, nullptr);
  pthread_kill(pthread_self(), SIGUSR1);
  sink = sink + 1;
}

struct Shape {
  virtual ~Shape() = default;
  virtual int area() = 0;
};
struct Square : Shape {
  [[gnu::noinline]] int area() override {
    STAND_STILL("virtual");
    return 4;
  }
};

[[gnu::noinline]] void through_catch() {
  try {
    throw std::runtime_error("thrown to be caught");
  } catch (const std::exception&) {
    std::function<int(Shape&)> measure = [](Shape& shape) { return shape.area() + sink; };
    Square square;
    sink = measure(square);
  }
}

[[gnu::noinline]] int recurse(int depth) {
  volatile int here = depth;
  if (depth == 0)
    STAND_STILL("recursion");
  else
    here = recurse(depth - 1);
  return here + 1;
}

// Inlined twice where there is optimisation; at -O0 two ordinary calls.
[[gnu::always_inline]] inline void innermost_inlined() {
  STAND_STILL("inlined");
}
[[gnu::always_inline]] inline void middle_inlined(int x) {
  sink = sink + x;
  innermost_inlined();
}
[[gnu::noinline]] void around_inlined() {
  middle_inlined(3);
  sink = sink + 2;
}

// Code that no file has: push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret
extern "C" void called_from_jit() {
  STAND_STILL("jit");
}
[[gnu::noinline]] void through_jit() {
  const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) std::abort();
  std::memcpy(page, code, sizeof code);
  mprotect(page, 4096, PROT_READ | PROT_EXEC);
  reinterpret_cast<void (*)(void (*)())>(page)(called_from_jit);
  sink = sink + 1;
}

}  // namespace

int main() {
  const std::array threads{
      std::thread([] { sink = sink + Tower<24>::climb(1); }),
      std::thread([] { sink = sink + varying(20); }),
      std::thread(through_sort),
      std::thread(through_qsort),
      std::thread(through_once),
      std::thread(through_signal),
      std::thread(through_catch),
      std::thread(around_inlined),
      std::thread(through_jit),
  };
  std::thread([] {
    while (standing.load() < kThreads) usleep(1000);
    std::printf("variable %lx\nready\n", reinterpret_cast<unsigned long>(&standing_mutex_data[2]));
    std::fflush(stdout);
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    _exit(0);
  }).detach();
  sink = recurse(40);
  return 0;
}
