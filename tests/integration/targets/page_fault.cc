// An event loop with a callback that touches a page which takes 300 ms to come: page_fault missing;
// or one that is there: page_fault present. Ends with 77 where userfaultfd(2) is refused.

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string_view>
#include <thread>

#include "tests/integration/targets/one_long_iteration.h"

namespace {

constexpr size_t kPage = 4096;
constexpr int kRefused = 77;

int faults = -1;
char* page = nullptr;
volatile char sink;

void make_missing_page() {
  faults = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
  if (faults < 0) exit(kRefused);
  uffdio_api api{};
  api.api = UFFD_API;
  if (ioctl(faults, UFFDIO_API, &api) != 0) exit(kRefused);
  page = static_cast<char*>(
      mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (page == MAP_FAILED) abort();
  uffdio_register range{};
  range.range.start = reinterpret_cast<uintptr_t>(page);
  range.range.len = kPage;
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (ioctl(faults, UFFDIO_REGISTER, &range) != 0) exit(kRefused);
}

// In a thread of its own: the disk, as it were.
void bring_page() {
  pollfd wait{faults, POLLIN, 0};
  poll(&wait, 1, -1);
  usleep(300'000);
  static char content[kPage];
  uffdio_copy copy{};
  copy.dst = reinterpret_cast<uintptr_t>(page);
  copy.src = reinterpret_cast<uintptr_t>(content);
  copy.len = kPage;
  if (ioctl(faults, UFFDIO_COPY, &copy) != 0) abort();
}

// EXPECT stall on="missing" cause=page-fault function=touch_page lines=+1..+3
[[gnu::noinline]] void touch_page() {
  sink = page[kPage / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const bool missing = argc > 1 && std::string_view(argv[1]) == "missing";
  make_missing_page();
  std::thread disk(bring_page);
  if (!missing) touch_page();
  run_loop([] {}, touch_page);
  disk.join();
  return 0;
}
