// Threads that wait at one place: workers, or a loop each.
#include "runtime/loops/workers.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "instrument/contract/wait_key.h"

namespace tailback {
namespace {

using contract::Segment;
using contract::ThreadRecord;
using contract::ThreadState;
using contract::WaitSite;
using intercept::Function;

constexpr uint64_t kThreshold = 1000;

class Workers : public ::testing::Test {
 protected:
  Workers()
      : segment_(static_cast<Segment*>(mmap(nullptr, sizeof(Segment), PROT_READ | PROT_WRITE,
                                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {}
  ~Workers() override { munmap(segment_, sizeof(Segment)); }

  // A live thread that has waited so often at one place.
  void add(Function function, uint64_t key, uint64_t iterations = 100, int pid = 4711) {
    const uint32_t index = segment_->header.threads_used.fetch_add(1);
    ThreadRecord& record = segment_->threads[index];
    record.state.store(static_cast<uint32_t>(ThreadState::kLive));
    record.pid.store(pid);
    record.tid.store(5000 + static_cast<int>(index));
    WaitSite& site = record.wait_sites[0];
    site.key.store(key);
    site.function = static_cast<uint32_t>(function);
    site.iterations.store(iterations);
  }
  bool is_worker(uint32_t index) const {
    const ThreadRecord& record = segment_->threads[index];
    return tailback::is_worker(*segment_, record, *view_site(record.wait_sites[0]), kThreshold);
  }

  Segment* segment_;
};

TEST_F(Workers, SingleThread_NoWorker) {
  add(Function::sigwait, contract::call_site_key(0x10));
  add(Function::sigwait, contract::call_site_key(0x10), 100, 4712);  // another process
  EXPECT_FALSE(is_worker(0));
}

TEST_F(Workers, SharedSignalWait_Worker) {
  for (int i = 0; i < 2; ++i) add(Function::sigwait, contract::call_site_key(0x10));
  EXPECT_TRUE(is_worker(0));
  EXPECT_TRUE(is_worker(1));
}

TEST_F(Workers, SharedDescriptorRead_Worker) {
  add(Function::read, contract::read_key(5, 0x10));
  add(Function::read, contract::read_key(5, 0x20));
  add(Function::read, contract::read_key(6, 0x10));
  EXPECT_TRUE(is_worker(0));
  EXPECT_TRUE(is_worker(1));
  EXPECT_FALSE(is_worker(2));
}

TEST_F(Workers, SharedPollSite_WorkerUnlessSteady) {
  add(Function::poll, contract::call_site_key(0x10), 100);
  add(Function::poll, contract::call_site_key(0x10), 20);
  EXPECT_FALSE(is_worker(0));
  EXPECT_TRUE(is_worker(1));
}

// As a thread asks whether its connection has something, between requests.
TEST_F(Workers, PollsThatNeverBlock_Worker) {
  for (int i = 0; i < 2; ++i) add(Function::poll, contract::call_site_key(0x10), 100);
  for (const uint32_t index : {0u, 1u}) {
    segment_->threads[index].wait_sites[0].blocking =
        static_cast<uint16_t>(contract::SiteBlocking::kNever);
    EXPECT_TRUE(is_worker(index));
    segment_->threads[index].wait_sites[0].blocking =
        static_cast<uint16_t>(contract::SiteBlocking::kSome);
    EXPECT_FALSE(is_worker(index));
  }
}

TEST_F(Workers, EpollWait_NoWorker) {
  for (int i = 0; i < 2; ++i) add(Function::epoll_wait, contract::descriptor_key(5, 0));
  EXPECT_FALSE(is_worker(0));
}

}  // namespace
}  // namespace tailback
