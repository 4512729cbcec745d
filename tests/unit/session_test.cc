// The session's segment as the observer makes and opens it, and the clock of its ticks.
#include "runtime/segment/session.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "instrument/contract/compatibility.h"
#include "runtime/segment/tick_clock.h"

namespace tailback {
namespace {

using contract::Segment;
using contract::TickSource;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A segment's file as some process, well-meaning or not, might make it.
class SegmentFile {
 public:
  explicit SegmentFile(size_t size = sizeof(Segment))
      : fd_(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
    EXPECT_EQ(ftruncate(fd_, static_cast<off_t>(size)), 0);
    if (size < sizeof(Segment)) return;
    void* address = mmap(nullptr, sizeof(Segment), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    EXPECT_NE(address, MAP_FAILED);
    segment_ = static_cast<Segment*>(address);
    contract::identify(segment_->header.identity);
    segment_->header.identity.magic.store(contract::kMagic);
  }
  ~SegmentFile() {
    if (segment_) munmap(segment_, sizeof(Segment));
    close(fd_);
  }
  SegmentFile(const SegmentFile&) = delete;
  SegmentFile& operator=(const SegmentFile&) = delete;

  void seal() { EXPECT_EQ(fcntl(fd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  Segment* operator->() const { return segment_; }

 private:
  int fd_;
  Segment* segment_ = nullptr;
};

// What open() says of a file; empty if it takes it.
std::string refusal(const std::string& path) {
  try {
    Session::open(path);
  } catch (const SessionError& error) {
    return error.what();
  }
  return {};
}

void expect_one_line_about(const std::string& message, const std::string& path) {
  EXPECT_NE(message.find(path), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST(SessionOpen, Missing_Refused) {
  const std::string path = "/nonexistent/segment";
  expect_one_line_about(refusal(path), path);
}

TEST(SessionOpen, OtherSize_Refused) {
  for (const size_t size : {size_t{0}, size_t{4096}, sizeof(Segment) - 4096}) {
    const SegmentFile file(size);
    expect_one_line_about(refusal(file.path()), file.path());
  }
  const SegmentFile larger(sizeof(Segment) + 4096);
  expect_one_line_about(refusal(larger.path()), larger.path());
}

TEST(SessionOpen, OtherVersion_RefusedWithCure) {
  SegmentFile file;
  file.seal();
  file->header.identity.version = contract::kVersion + 1;
  const std::string message = refusal(file.path());
  expect_one_line_about(message, file.path());
  EXPECT_NE(message.find("one build"), std::string::npos) << message;
}

TEST(SessionOpen, AnotherTable_IsRefusedAndSaysTheCure) {
  SegmentFile file;
  file.seal();
  file->header.identity.table_hash = contract::kTableHash + 1;
  const std::string message = refusal(file.path());
  expect_one_line_about(message, file.path());
  EXPECT_NE(message.find("table of intercepted functions"), std::string::npos) << message;
  EXPECT_NE(message.find("one build"), std::string::npos) << message;
}

TEST(SessionOpen, NoSegment_Refused) {
  SegmentFile file;
  file.seal();
  file->header.identity.magic.store(0x464c457f);
  expect_one_line_about(refusal(file.path()), file.path());
}

// Whoever could cut the file short could kill the observer with it.
TEST(SessionOpen, Unsealed_Refused) {
  SegmentFile file;
  expect_one_line_about(refusal(file.path()), file.path());
  file.seal();
  EXPECT_EQ(refusal(file.path()), "");
}

TEST(SessionOpen, Sealed_AcceptedAndSigned) {
  SegmentFile file;
  file.seal();
  {
    const Session session = Session::open(file.path());
    EXPECT_EQ(file->header.observer.load(), getpid());
    session.segment().header.threads_used.store(77);
    EXPECT_EQ(file->header.threads_used.load(), 77u);
  }
  EXPECT_EQ(file->header.observer.load(), 0);
}

TEST(SessionCreate, Header_Filled) {
  const Session session = Session::create();
  const contract::Header& header = session.segment().header;
  EXPECT_EQ(header.identity.magic.load(), contract::kMagic);
  EXPECT_EQ(header.identity.version, contract::kVersion);
  EXPECT_EQ(header.identity.segment_size, sizeof(Segment));
  EXPECT_EQ(header.tick_source, TickClock::best_source());
  EXPECT_EQ(header.observer.load(), getpid());
  EXPECT_EQ(header.threshold_ticks.load(), UINT64_MAX);  // nothing is long until the watcher says
}

TEST(SessionCreate, File_Sealed) {
  const Session session = Session::create();
  const int fd = open(session.path().c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  for (const off_t size : {off_t{0}, off_t{4096}, off_t{sizeof(Segment)} + 4096}) {
    errno = 0;
    EXPECT_EQ(ftruncate(fd, size), -1);
    EXPECT_EQ(errno, EPERM);
  }
  struct stat file {};
  ASSERT_EQ(fstat(fd, &file), 0);
  EXPECT_EQ(file.st_size, static_cast<off_t>(sizeof(Segment)));
  close(fd);
}

TEST(SessionCreate, Unused_TakesNoMemory) {
  const Session session = Session::create();
  struct stat file {};
  ASSERT_EQ(stat(session.path().c_str(), &file), 0);
  EXPECT_LT(file.st_blocks * 512, 1 << 20);
}

TEST(SessionCreate, OtherProcess_OpensByPath) {
  const Session session = Session::create();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // As the recorder does: nothing of the parent's is used but the path.
    munmap(&session.segment(), sizeof(Segment));
    const int fd = open(session.path().c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) _exit(1);
    void* address = mmap(nullptr, sizeof(Segment), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) _exit(2);
    auto* segment = static_cast<Segment*>(address);
    if (segment->header.identity.magic.load() != contract::kMagic) _exit(3);
    segment->threads[contract::kThreadCapacity - 1].tid.store(getpid());
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(session.segment().threads[contract::kThreadCapacity - 1].tid.load(), child);
}

TEST(SessionCreate, ObserverEnds_SeenInMapping) {
  std::optional<Session> session(Session::create());
  session->segment().header.threshold_ticks.store(12345);
  const int fd = open(session->path().c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  void* address = mmap(nullptr, sizeof(Segment), PROT_READ, MAP_SHARED, fd, 0);
  ASSERT_NE(address, MAP_FAILED);
  close(fd);
  const auto* segment = static_cast<const Segment*>(address);
  session.reset();
  EXPECT_EQ(segment->header.observer.load(), 0);
  EXPECT_EQ(segment->header.threshold_ticks.load(), UINT64_MAX);
  munmap(address, sizeof(Segment));
}

TEST(SessionCreate, Moved_OneOwner) {
  Session first = Session::create();
  const std::string path = first.path();
  Segment* segment = &first.segment();
  {
    const Session second(std::move(first));
    EXPECT_EQ(second.path(), path);
    EXPECT_EQ(&second.segment(), segment);
    EXPECT_EQ(access(path.c_str(), F_OK), 0);
  }
  EXPECT_EQ(access(path.c_str(), F_OK), -1);
}

TEST(SessionCreate, Destroyed_NoDescriptorOpen) {
  const int before = dup(0);
  ASSERT_GE(before, 0);
  close(before);
  { const Session session = Session::create(); }
  EXPECT_FALSE(refusal("/proc/self/status").empty());
  const int after = dup(0);
  close(after);
  EXPECT_EQ(after, before);
}

class TickClockTest : public ::testing::TestWithParam<TickSource> {};

INSTANTIATE_TEST_SUITE_P(Sources, TickClockTest,
                         ::testing::Values(TickClock::best_source(), TickSource::kMonotonic));

TEST(TickClock, BestSource_TscOrMonotonic) {
  const TickSource source = TickClock::best_source();
  EXPECT_TRUE(source == TickSource::kTsc || source == TickSource::kMonotonic);
}

TEST(TickClock, MonotonicSource_Nanoseconds) {
  const TickClock clock(TickSource::kMonotonic);
  EXPECT_EQ(clock.duration(1234567890123), Nanoseconds(1234567890123));
  EXPECT_EQ(clock.ticks(Nanoseconds(1234567890123)), 1234567890123u);
}

TEST_P(TickClockTest, DurationThroughTicks_Unchanged) {
  const TickClock clock(GetParam());
  for (const Nanoseconds length : {Nanoseconds(0), Nanoseconds(1000), Nanoseconds(milliseconds(20)),
                                   Nanoseconds(seconds(1)), Nanoseconds(std::chrono::hours(24))}) {
    const Nanoseconds again = clock.duration(clock.ticks(length));
    EXPECT_NEAR(static_cast<double>(again.count()), static_cast<double>(length.count()),
                2 + static_cast<double>(length.count()) * 1e-9);
  }
}

TEST_P(TickClockTest, AbsurdLength_Clamped) {
  const TickClock clock(GetParam());
  EXPECT_EQ(clock.ticks(Nanoseconds(-5)), 0u);
  EXPECT_EQ(clock.ticks(Nanoseconds::min()), 0u);
  EXPECT_GT(clock.ticks(Nanoseconds::max()), clock.ticks(std::chrono::hours(24 * 365)));
  EXPECT_GT(clock.duration(UINT64_MAX), std::chrono::hours(24 * 365));
}

TEST_P(TickClockTest, Duration_AgreesWithSteadyClock) {
  TickClock clock(GetParam());
  const auto outer_begin = std::chrono::steady_clock::now();
  const uint64_t begin = clock.now();
  const auto inner_begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(milliseconds(30));
  const auto inner_end = std::chrono::steady_clock::now();
  const uint64_t end = clock.now();
  const auto outer_end = std::chrono::steady_clock::now();
  clock.refine();
  const Nanoseconds length = clock.duration(end - begin);
  EXPECT_GT(length, (inner_end - inner_begin) * 99 / 100);
  EXPECT_LT(length, (outer_end - outer_begin) * 101 / 100);
}

TEST_P(TickClockTest, WallTime_RisesWithTicks) {
  const TickClock clock(GetParam());
  WallTime last = clock.wall_time(0);
  EXPECT_LT(last, std::chrono::system_clock::now());
  const uint64_t base = clock.now();
  for (uint64_t step = 0; step < 1000; ++step) {
    const WallTime at = clock.wall_time(base - (1000 - step) * 100000);
    EXPECT_GE(at, last);
    last = at;
  }
  const auto distance = std::chrono::system_clock::now() - clock.wall_time(clock.now());
  EXPECT_LT(std::chrono::abs(distance), seconds(5));
}

TEST_P(TickClockTest, FutureTick_Now) {
  const TickClock clock(GetParam());
  const auto distance = clock.wall_time(UINT64_MAX) - std::chrono::system_clock::now();
  EXPECT_LT(std::chrono::abs(distance), seconds(5));
}

}  // namespace
}  // namespace tailback
