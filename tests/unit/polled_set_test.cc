// The descriptors of a poll or select, as the recorder reads them.
#include "instrument/recorder/polled_set.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vector>

namespace tailback {
namespace {

PolledSet set_of(const std::vector<int>& fds) {
  std::vector<pollfd> entries;
  for (const int fd : fds) entries.push_back({fd, POLLIN, 0});
  PolledSet set;
  EXPECT_TRUE(set.read(entries.data(), entries.size()));
  return set;
}

fd_set selected(const std::vector<int>& fds) {
  fd_set set;
  FD_ZERO(&set);
  for (const int fd : fds) FD_SET(fd, &set);
  return set;
}

TEST(PolledSet, Entries_Descriptors) {
  const PolledSet set = set_of({0, 63, 64, 1023});
  for (const int fd : {0, 63, 64, 1023}) EXPECT_TRUE(set.has(fd)) << fd;
  for (const int fd : {-1, 1, 62, 65, 1022, 1024, 1 << 30}) EXPECT_FALSE(set.has(fd)) << fd;
  EXPECT_FALSE(set.is_empty());
}

TEST(PolledSet, NegativeEntries_Ignored) {
  EXPECT_TRUE(set_of({-1, -5}).is_empty());
  const PolledSet set = set_of({-1, 3});
  EXPECT_TRUE(set.has(3));
}

TEST(PolledSet, NoEntries_EmptyWithoutRead) {
  PolledSet set;
  EXPECT_TRUE(set.read(nullptr, 0));
  EXPECT_TRUE(set.is_empty());
}

TEST(PolledSet, LargeDescriptor_Unknown) {
  const pollfd entry{1024, POLLIN, 0};
  PolledSet set;
  EXPECT_FALSE(set.read(&entry, 1));
}

TEST(PolledSet, ManyEntries_UnknownWithoutRead) {
  const std::vector<pollfd> entries(256, {3, POLLIN, 0});
  PolledSet set;
  EXPECT_TRUE(set.read(entries.data(), 256));
  EXPECT_FALSE(set.read(nullptr, 257));
}

TEST(PolledSet, ReadAgain_OldDescriptorsGone) {
  PolledSet set = set_of({3});
  const pollfd entry{4, POLLIN, 0};
  ASSERT_TRUE(set.read(&entry, 1));
  EXPECT_FALSE(set.has(3));
  EXPECT_TRUE(set.has(4));
}

TEST(PolledSet, ThreeSelectSets_Union) {
  const fd_set reads = selected({3});
  const fd_set writes = selected({70});
  const fd_set exceptions = selected({1023});
  PolledSet set;
  ASSERT_TRUE(set.copy(getpid(), 1024, &reads, &writes, &exceptions));
  for (const int fd : {3, 70, 1023}) EXPECT_TRUE(set.has(fd)) << fd;
  EXPECT_FALSE(set.has(4));
}

TEST(PolledSet, SelectCount_BeyondIgnored) {
  const fd_set reads = selected({3, 5, 6, 63, 64});
  PolledSet set;
  ASSERT_TRUE(set.copy(getpid(), 6, &reads, nullptr, nullptr));
  EXPECT_TRUE(set.has(5));
  for (const int fd : {6, 63, 64}) EXPECT_FALSE(set.has(fd)) << fd;
}

TEST(PolledSet, NullSelectSets_Empty) {
  PolledSet set;
  EXPECT_TRUE(set.copy(getpid(), 1024, nullptr, nullptr, nullptr));
  EXPECT_TRUE(set.is_empty());
  EXPECT_TRUE(set.copy(getpid(), 0, nullptr, nullptr, nullptr));
  EXPECT_TRUE(set.is_empty());
}

TEST(PolledSet, InvalidSelectCount_Unknown) {
  const fd_set reads = selected({3});
  PolledSet set;
  EXPECT_FALSE(set.copy(getpid(), -1, &reads, nullptr, nullptr));
  EXPECT_FALSE(set.copy(getpid(), 1025, &reads, nullptr, nullptr));
}

TEST(PolledSet, BadSelectPointer_Unknown) {
  PolledSet set;
  EXPECT_FALSE(set.copy(getpid(), 64, reinterpret_cast<const fd_set*>(8), nullptr, nullptr));
}

// The kernel reads only as many words as the count says.
TEST(PolledSet, SelectSetAtPageEnd_Read) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* memory =
      mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  ASSERT_EQ(munmap(static_cast<char*>(memory) + page, page), 0);
  auto* word = reinterpret_cast<uint64_t*>(static_cast<char*>(memory) + page - sizeof(uint64_t));
  *word = 1u << 3;
  PolledSet set;
  EXPECT_TRUE(set.copy(getpid(), 10, reinterpret_cast<const fd_set*>(word), nullptr, nullptr));
  EXPECT_TRUE(set.has(3));
  EXPECT_FALSE(set.copy(getpid(), 65, reinterpret_cast<const fd_set*>(word), nullptr, nullptr));
  munmap(memory, page);
}

TEST(PolledSet, CommonDescriptors_Shared) {
  EXPECT_TRUE(set_of({3, 70}).shares_any(set_of({4, 70})));
  EXPECT_FALSE(set_of({3, 70}).shares_any(set_of({4, 71})));
  EXPECT_FALSE(set_of({3}).shares_any(set_of({})));
  PolledSet common = set_of({3, 5, 70});
  common.keep_common(set_of({5, 70, 71}));
  EXPECT_TRUE(common.has(5));
  EXPECT_TRUE(common.has(70));
  EXPECT_FALSE(common.has(3));
  EXPECT_FALSE(common.has(71));
}

TEST(PolledSet, OpenDescriptor_HasOpen) {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  for (const Function function : {Function::poll, Function::ppoll, Function::select}) {
    EXPECT_TRUE(set_of({fd}).has_open(function));
    EXPECT_TRUE(set_of({1000, fd}).has_open(function));
    EXPECT_FALSE(set_of({1000, 1001}).has_open(function));
    EXPECT_FALSE(set_of({}).has_open(function));
  }
  close(fd);
  EXPECT_FALSE(set_of({fd}).has_open(Function::poll));
}

}  // namespace
}  // namespace tailback
