#include "tests/benchmarks/accuracy/target/machine_stalls.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <thread>

#include "demos/echo/callbacks.h"
#include "tests/benchmarks/accuracy/target/event_loop.h"

namespace tailback::accuracy {
namespace {

using std::chrono::nanoseconds;

// Another process which, when asked, takes one CPU from everybody else.
class CpuTaker {
 public:
  CpuTaker() : finished_(shared_counter()) {
    if (pipe2(requests_, O_CLOEXEC) != 0) return;
    const pid_t parent = getpid();
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(0);
      close(requests_[1]);
      serve();
    }
    close(requests_[0]);
    while (finished_->load() == 0) usleep(1000);
  }
  ~CpuTaker() {
    if (process_ <= 0) return;
    close(requests_[1]);
    waitpid(process_, nullptr, 0);
  }
  CpuTaker(const CpuTaker&) = delete;
  CpuTaker& operator=(const CpuTaker&) = delete;

  bool works() const { return process_ > 0 && finished_->load() > 0; }

  // The caller would run all the time, but can't.
  void starve_caller(Milliseconds length) {
    cpu_set_t before;
    sched_getaffinity(0, sizeof before, &before);
    const cpu_set_t one = last_cpu();
    sched_setaffinity(0, sizeof one, &one);
    const int64_t taken = finished_->load();
    const int64_t ns = nanoseconds(length).count();
    if (write(requests_[1], &ns, sizeof ns) == sizeof ns) {
      while (finished_->load(std::memory_order_relaxed) == taken) {
      }
    }
    sched_setaffinity(0, sizeof before, &before);
  }

 private:
  static cpu_set_t last_cpu() {
    cpu_set_t all;
    sched_getaffinity(0, sizeof all, &all);
    int cpu = CPU_SETSIZE - 1;
    while (cpu > 0 && !CPU_ISSET(cpu, &all)) --cpu;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return one;
  }
  static std::atomic<int64_t>* shared_counter() {
    void* const page =
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return new (page) std::atomic<int64_t>(0);
  }
  // Counts to 1 once it is ready, to -1 if it can't be.
  [[noreturn]] void serve() {
    const cpu_set_t one = last_cpu();
    sched_param priority{};
    priority.sched_priority = 1;
    if (sched_setaffinity(0, sizeof one, &one) != 0 ||
        sched_setscheduler(0, SCHED_FIFO, &priority) != 0) {
      finished_->store(-1);
      _exit(0);
    }
    finished_->store(1);
    int64_t length = 0;
    while (read(requests_[0], &length, sizeof length) == sizeof length) {
      usleep(2000);  // the caller is to be taken from its own work, not from its request
      const int64_t end = now_ns() + length;
      while (now_ns() < end) {
      }
      finished_->fetch_add(1);
    }
    _exit(0);
  }

  std::atomic<int64_t>* finished_;
  int requests_[2] = {-1, -1};
  pid_t process_ = -1;
};

// A control group with a fifth of a CPU, into which the process goes for a while.
class SmallQuota {
 public:
  SmallQuota() {
    for (const char* root : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup"}) {
      path_ = std::string(root) + "/tailback-accuracy-" + std::to_string(getpid());
      if (mkdir(path_.c_str(), 0700) != 0) continue;
      home_ = root + own_group(root == std::string("/sys/fs/cgroup/cpu"));
      const bool first = write(path_ + "/cpu.cfs_period_us", "10000") &&
                         write(path_ + "/cpu.cfs_quota_us", "2000");
      if ((first || write(path_ + "/cpu.max", "2000 10000")) && enter(path_) && enter(home_))
        return;
      rmdir(path_.c_str());
    }
    path_.clear();
  }
  ~SmallQuota() {
    if (!path_.empty()) rmdir(path_.c_str());
  }
  SmallQuota(const SmallQuota&) = delete;
  SmallQuota& operator=(const SmallQuota&) = delete;

  bool works() const { return !path_.empty(); }

  void enter() const { enter(path_); }
  void leave() const { enter(home_); }

 private:
  // Within the hierarchy of the controller, or the only one.
  static std::string own_group(bool of_cpu) {
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
      const size_t names = line.find(':');
      const size_t path = line.find(':', names + 1);
      if (path == std::string::npos) continue;
      const std::string controllers = "," + line.substr(names + 1, path - names - 1) + ",";
      if (of_cpu ? controllers.find(",cpu,") != std::string::npos : controllers == ",,") {
        return line.substr(path + 1);
      }
    }
    return "/";
  }
  static bool write(const std::string& path, const std::string& text) {
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool written = ::write(fd, text.data(), text.size()) > 0;
    close(fd);
    return written;
  }
  static bool enter(const std::string& group) { return write(group + "/cgroup.procs", "0"); }

  std::string path_;
  std::string home_;
};

// Memory whose pages come when a thread of ours brings them: a disk that it was paged out to.
class MissingPage {
 public:
  MissingPage() : faults_(static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK))) {
    if (faults_ < 0) return;
    uffdio_api api{};
    api.api = UFFD_API;
    if (ioctl(faults_, UFFDIO_API, &api) != 0) return;
    page_ = static_cast<char*>(
        mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    uffdio_register range{};
    range.range.start = reinterpret_cast<uintptr_t>(page_);
    range.range.len = kPage;
    range.mode = UFFDIO_REGISTER_MODE_MISSING;
    works_ = ioctl(faults_, UFFDIO_REGISTER, &range) == 0;
  }
  ~MissingPage() {
    if (page_ != nullptr) munmap(page_, kPage);
    if (faults_ >= 0) close(faults_);
  }
  MissingPage(const MissingPage&) = delete;
  MissingPage& operator=(const MissingPage&) = delete;

  bool works() const { return works_; }
  void touch(Milliseconds length) {
    std::jthread disk([this, length] { bring(length); });
    [[maybe_unused]] volatile char byte = *static_cast<volatile char*>(page_);
  }

 private:
  static constexpr size_t kPage = 4096;

  void bring(Milliseconds delay) const {
    pollfd wait{faults_, POLLIN, 0};
    poll(&wait, 1, -1);
    std::this_thread::sleep_for(delay);
    static char content[kPage];
    uffdio_copy copy{};
    copy.dst = reinterpret_cast<uintptr_t>(page_);
    copy.src = reinterpret_cast<uintptr_t>(content);
    copy.len = kPage;
    if (ioctl(faults_, UFFDIO_COPY, &copy) != 0) abort();
  }

  int faults_;
  char* page_ = nullptr;
  bool works_ = false;
};

std::unique_ptr<CpuTaker> cpu_taker;
std::unique_ptr<SmallQuota> small_quota;
bool has_faults = false;

void starve(Milliseconds length) {
  cpu_taker->starve_caller(length);
}

void use_quota_up(Milliseconds length) {
  const int64_t end = now_ns() + nanoseconds(length).count();
  while (now_ns() < end) {
  }
}

void touch_missing_page(Milliseconds length) {
  MissingPage().touch(length);
}

}  // namespace

std::vector<std::string> prepare_machine_stalls() {
  std::vector<std::string> lacking;
  cpu_taker = std::make_unique<CpuTaker>();
  if (!cpu_taker->works()) {
    cpu_taker.reset();
    lacking.push_back("starved: a process may not have a real-time priority here");
  }
  small_quota = std::make_unique<SmallQuota>();
  if (!small_quota->works()) {
    small_quota.reset();
    lacking.push_back("throttled: no control group with a CPU quota can be made here");
  }
  has_faults = MissingPage().works();
  if (!has_faults) lacking.push_back("fault: userfaultfd is refused here");
  return lacking;
}

void clean_up_after_machine_stalls() {
  cpu_taker.reset();
  small_quota.reset();
}

void enter_small_quota() {
  small_quota->enter();
}

void leave_small_quota() {
  small_quota->leave();
}

std::vector<StallKind> machine_stall_kinds() {
  std::vector<StallKind> kinds;
  if (cpu_taker) kinds.push_back({"run-queue-wait", "compute", "run-queue-wait", starve, true});
  if (small_quota) kinds.push_back({"throttled", "compute", "throttled", use_quota_up, true});
  if (has_faults) kinds.push_back({"page-fault", "touch a page", "page-fault", touch_missing_page});
  return kinds;
}

}  // namespace tailback::accuracy
