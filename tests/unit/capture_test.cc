#include <fcntl.h>
#include <gtest/gtest.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/capture/byte_source.h"
#include "runtime/capture/memory.h"
#include "runtime/capture/module_files.h"
#include "runtime/capture/module_image.h"
#include "runtime/capture/module_map.h"
#include "runtime/capture/regular_file.h"
#include "runtime/capture/snapshot.h"

namespace tailback {
namespace {

constexpr int kNoProcess = 0x3ffffff;  // above the largest pid_max

int an_own_variable = 12345;
int an_own_zero;  // in .bss

RemoteAddress address_of(const volatile void* pointer) {
  return RemoteAddress(reinterpret_cast<uint64_t>(pointer));
}

// Three pages of which the last can't be read.
class Pages {
 public:
  Pages() {
    begin_ = static_cast<std::byte*>(
        ::mmap(nullptr, 3 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    std::memset(begin_, 'x', 2 * kPage);
    ::mprotect(begin_ + 2 * kPage, kPage, PROT_NONE);
  }
  ~Pages() { ::munmap(begin_, 3 * kPage); }
  std::byte* at(size_t offset) const { return begin_ + offset; }
  static constexpr size_t kPage = 4096;

 private:
  std::byte* begin_;
};

TEST(Memory, Unreadable_Nothing) {
  std::array<std::byte, 64> out;
  EXPECT_EQ(read_memory(kNoProcess, address_of(&an_own_variable), out), 0u);
  EXPECT_EQ(read_memory(-1, address_of(&an_own_variable), out), 0u);
  EXPECT_EQ(read_memory(0, address_of(&an_own_variable), out), 0u);
  for (const uint64_t hostile : {uint64_t{0}, uint64_t{1}, uint64_t{0x7fffffffffff},
                                 uint64_t{1} << 63, UINT64_MAX - 3, UINT64_MAX}) {
    EXPECT_EQ(read_memory(::getpid(), RemoteAddress(hostile), out), 0u) << hostile;
    EXPECT_FALSE(read_string(::getpid(), RemoteAddress(hostile), 100)) << hostile;
    EXPECT_FALSE(read<int>(::getpid(), RemoteAddress(hostile))) << hostile;
  }
}

TEST(Memory, Value_Read) {
  EXPECT_EQ(read<int>(::getpid(), address_of(&an_own_variable)), 12345);
}

TEST(Memory, RunsIntoUnmapped_CutThere) {
  const Pages pages;
  std::vector<std::byte> out(3 * Pages::kPage);
  EXPECT_EQ(read_memory(::getpid(), address_of(pages.at(0)), out), 2 * Pages::kPage);
  EXPECT_EQ(read_memory(::getpid(), address_of(pages.at(Pages::kPage - 10)), out),
            Pages::kPage + 10);
  EXPECT_FALSE(read<uint64_t>(::getpid(), address_of(pages.at(2 * Pages::kPage - 4))));
}

TEST(Memory, LargeRead_SeveralVectors) {
  std::vector<std::byte> from(5'000'000);
  std::mt19937 random(1);
  for (auto& byte : from) byte = static_cast<std::byte>(random());
  std::vector<std::byte> to(from.size());
  EXPECT_EQ(read_memory(::getpid(), address_of(from.data()), to), to.size());
  EXPECT_EQ(from, to);
}

TEST(Memory, String_EndsAtNulLimitOrMemory) {
  const Pages pages;
  std::memcpy(pages.at(10), "name", 5);
  EXPECT_EQ(read_string(::getpid(), address_of(pages.at(10)), 100), "name");
  EXPECT_EQ(read_string(::getpid(), address_of(pages.at(10)), 2), "na");
  EXPECT_EQ(read_string(::getpid(), address_of(pages.at(100)), 1000), std::string(1000, 'x'));
  EXPECT_EQ(read_string(::getpid(), address_of(pages.at(2 * Pages::kPage - 7)), 1000), "xxxxxxx");
  EXPECT_EQ(read_string(::getpid(), address_of(pages.at(0)), 0), "");
}

TEST(ModuleMap, MalformedLines_Skipped) {
  const char* const bad[] = {"",
                             "\n\n",
                             "hello",
                             "1000-",
                             "-2000 r-xp 0 00:00 0",
                             "2000-1000 r-xp 00000000 08:01 5 /lib/x",
                             "1000-1000 r-xp 00000000 08:01 5 /lib/x",
                             "1000-2000",
                             "1000-2000 r-xp",
                             "1000-2000 r-xp 00000000 08:01",
                             "1000-2000 r-xp 00000000 0801 5 /lib/x",
                             "10000000000000000-20000000000000000 r-xp 00000000 08:01 5 /lib/x"};
  for (const char* text : bad) EXPECT_TRUE(ModuleMap::parse(text).mappings().empty()) << text;
  EXPECT_FALSE(ModuleMap::read(kNoProcess));
}

TEST(ModuleMap, KernelText_Parsed) {
  const ModuleMap map = ModuleMap::parse(
      "7f0000002000-7f0000003000 rw-p 00000000 00:00 0 \n"
      "00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/with space (x) (deleted)\n"
      "nonsense in between\n"
      "7fff000000-7fff021000 rw-p 00000000 00:00 0                          [stack]\n"
      "7f0000000000-7f0000001000 r--s 00000000 fe:10 9 /tmp/a\\012b");
  ASSERT_EQ(map.mappings().size(), 4u);
  const Mapping* code = map.find(RemoteAddress(0x400000));
  ASSERT_NE(code, nullptr);
  EXPECT_EQ(code->path, "/usr/bin/with space (x)");
  EXPECT_EQ(code->begin, RemoteAddress(0x400000));
  EXPECT_EQ(code->end, RemoteAddress(0x452000));
  EXPECT_EQ(code->file_offset, 0x1000u);
  EXPECT_EQ(code->device, makedev(8, 2));
  EXPECT_EQ(code->inode, 173521u);
  EXPECT_TRUE(code->executable);
  EXPECT_FALSE(code->writable);
  EXPECT_TRUE(code->is_file());

  EXPECT_EQ(map.find(RemoteAddress(0x451fff)), code);
  EXPECT_EQ(map.find(RemoteAddress(0x452000)), nullptr);
  EXPECT_EQ(map.find(RemoteAddress(0x3fffff)), nullptr);
  EXPECT_EQ(map.find(RemoteAddress(0)), nullptr);
  EXPECT_EQ(map.find(RemoteAddress(UINT64_MAX)), nullptr);

  const Mapping* stack = map.find(RemoteAddress(0x7fff000010));
  ASSERT_NE(stack, nullptr);
  EXPECT_EQ(stack->path, "[stack]");
  EXPECT_FALSE(stack->is_file());
  EXPECT_TRUE(stack->writable);
  EXPECT_EQ(map.find(RemoteAddress(0x7f0000002000))->path, "");
  EXPECT_EQ(map.find(RemoteAddress(0x7f0000000000))->path, "/tmp/a\nb");
}

TEST(ModuleMap, CodeWithoutFile_Generated) {
  const auto has = [](const std::string& line) {
    return ModuleMap::parse("00400000-00452000 r-xp 00001000 08:02 173521 /usr/bin/node\n" + line)
        .has_generated_code();
  };
  EXPECT_FALSE(has("7ffc1000-7ffc2000 r-xp 00000000 00:00 0 [vdso]\n"));
  EXPECT_FALSE(has("7f000000-7f001000 rw-p 00000000 00:00 0 \n"));
  EXPECT_TRUE(has("7f000000-7f001000 r-xp 00000000 00:00 0 \n"));
  EXPECT_TRUE(has("7f000000-7f001000 rwxp 00000000 00:00 0 \n"));
}

TEST(ModuleMap, RandomText_NoCrash) {
  std::mt19937 random(7);
  const std::string letters = "0123456789abcdef- rwxp:/[]\\\n";
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (unsigned i = random() % 300; i > 0; --i) text += letters[random() % letters.size()];
    const ModuleMap map = ModuleMap::parse(text);
    for (const Mapping& mapping : map.mappings()) EXPECT_LT(mapping.begin, mapping.end);
  }
}

TEST(ModuleMap, LiveProcess_Read) {
  const auto map = ModuleMap::read(::getpid());
  ASSERT_TRUE(map);
  const auto code = RemoteAddress(reinterpret_cast<uint64_t>(&address_of));
  ASSERT_NE(map->find(code), nullptr);
  EXPECT_TRUE(map->find(code)->executable);
  EXPECT_TRUE(map->find(code)->path.ends_with("/capture_test"));
}

Registers at(const void* stack) {
  Registers registers;
  registers.context.stack_pointer = reinterpret_cast<uint64_t>(stack);
  return registers;
}

TEST(Snapshot, ProcessGone_Nothing) {
  EXPECT_FALSE(take_snapshot(kNoProcess, kNoProcess, at(&an_own_variable), nullptr));
  Registers registers;
  for (const uint64_t hostile : {uint64_t{0}, uint64_t{64}, UINT64_MAX, UINT64_MAX - 4096}) {
    registers.context.stack_pointer = hostile;
    EXPECT_FALSE(take_snapshot(::getpid(), ::getpid(), registers, nullptr)) << hostile;
  }
}

TEST(Snapshot, StackTop_EndsAtMapping) {
  const Pages pages;
  const auto* sp = pages.at(Pages::kPage + 16);
  // The second page is of one mapping, and the map knows only that.
  Mapping mapping;
  mapping.begin = address_of(pages.at(Pages::kPage));
  mapping.end = address_of(pages.at(Pages::kPage + 1000));
  auto modules = std::make_shared<const ModuleMap>(std::vector{mapping});
  const auto clamped = take_snapshot(::getpid(), ::getpid(), at(sp), modules);
  ASSERT_TRUE(clamped);
  EXPECT_EQ(clamped->stack.size(), 1000u - 16);
  EXPECT_EQ(clamped->modules, modules);
  // Without a map, it ends where memory does.
  const auto open = take_snapshot(::getpid(), ::getpid(), at(sp), nullptr);
  ASSERT_TRUE(open);
  EXPECT_EQ(open->stack.size(), Pages::kPage - 16);
}

TEST(Snapshot, DeepStack_AtMostLimit) {
  std::vector<std::byte> stack(4 * Snapshot::kStackBytes, std::byte{7});
  const auto snapshot = take_snapshot(::getpid(), ::getpid(), at(stack.data() + 3), nullptr);
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->stack.size(), Snapshot::kStackBytes);
  EXPECT_LE(snapshot->stack_begin, address_of(stack.data() + 3));
}

TEST(Snapshot, OutsideSnapshot_NotRead) {
  Snapshot snapshot;
  snapshot.stack_begin = RemoteAddress(0x1000);
  snapshot.stack.resize(64, std::byte{1});
  snapshot.stack[63] = std::byte{9};
  uint64_t word = 0;
  EXPECT_FALSE(snapshot.read_stack(RemoteAddress(0xfff), &word, 8));
  EXPECT_FALSE(snapshot.read_stack(RemoteAddress(0x1039), &word, 8));
  EXPECT_FALSE(snapshot.read_stack(RemoteAddress(UINT64_MAX), &word, 8));
  EXPECT_FALSE(snapshot.read_stack(RemoteAddress(0), &word, 8));
  EXPECT_FALSE(snapshot.read_stack(RemoteAddress(0x1000), &word, SIZE_MAX));
  ASSERT_TRUE(snapshot.read_stack(RemoteAddress(0x1038), &word, 8));
  EXPECT_EQ(word, 0x0901010101010101u);
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::vector<std::byte>& bytes) {
    fd_ = ::mkostemp(path_.data(), O_CLOEXEC);
    EXPECT_EQ(::write(fd_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  ~TemporaryFile() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  int reopened() const { return ::open(path_.c_str(), O_RDONLY | O_CLOEXEC); }
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = ::testing::TempDir() + "capture_test_XXXXXX";
  int fd_;
};

TEST(ByteSource, AcrossBlocks_StopsAtEnd) {
  std::vector<std::byte> bytes(50'000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 31 >> 3);
  const TemporaryFile file(bytes);
  for (const auto& source : {make_file_source(file.reopened()), make_buffer_source(bytes),
                             make_memory_source(::getpid(), address_of(bytes.data()))}) {
    std::vector<std::byte> out(40'000);
    ASSERT_TRUE(source->read(5, out.data(), out.size()));
    EXPECT_EQ(std::memcmp(out.data(), bytes.data() + 5, out.size()), 0);
    EXPECT_FALSE(source->read(UINT64_MAX - 2, out.data(), 8));
  }
  const auto source = make_file_source(file.reopened());
  std::byte last[2];
  EXPECT_TRUE(source->read(49'998, last, 2));
  EXPECT_FALSE(source->read(49'999, last, 2));
  EXPECT_FALSE(source->read(1'000'000'000'000, last, 1));
}

TEST(ByteSource, TruncatedFile_ReadFails) {
  const TemporaryFile file(std::vector<std::byte>(100'000));
  const auto source = make_file_source(file.reopened());
  char byte = 0;
  EXPECT_TRUE(source->read(0, &byte, 1));
  ASSERT_EQ(::ftruncate(file.fd(), 10), 0);
  EXPECT_FALSE(source->read(90'000, &byte, 1));
}

TEST(RegularFile, NotRegularFile_NotOpened) {
  struct stat status;
  EXPECT_EQ(open_regular_file("/dev/zero", status), -1);
  EXPECT_EQ(open_regular_file("/tmp", status), -1);
  EXPECT_EQ(open_regular_file("/no/such/file", status), -1);
  const std::string fifo = ::testing::TempDir() + "capture_test_fifo";
  ::unlink(fifo.c_str());
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(open_regular_file(fifo, status), -1);
  ::unlink(fifo.c_str());
}

std::vector<std::byte> own_file() {
  const auto source = make_file_source(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  struct stat status;
  EXPECT_EQ(::stat("/proc/self/exe", &status), 0);
  std::vector<std::byte> bytes(static_cast<size_t>(status.st_size));
  EXPECT_TRUE(source->read(0, bytes.data(), bytes.size()));
  return bytes;
}

TEST(ModuleImage, NotElf_Nothing) {
  EXPECT_EQ(ModuleImage::from_bytes({}), nullptr);
  EXPECT_EQ(ModuleImage::from_bytes(std::vector<std::byte>(4096)), nullptr);
  EXPECT_EQ(ModuleImage::from_process(kNoProcess, RemoteAddress(0x400000)), nullptr);
  auto bytes = own_file();
  bytes[4] = std::byte{1};  // 32 bit
  EXPECT_EQ(ModuleImage::from_bytes(bytes), nullptr);
  bytes = own_file();
  bytes.resize(64);  // no program headers
  EXPECT_EQ(ModuleImage::from_bytes(bytes), nullptr);
}

TEST(ModuleImage, DamagedHeaders_NoCrash) {
  auto original = own_file();
  original.resize(std::min<size_t>(original.size(), 16 * 1024));
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    auto bytes = original;
    for (int i = 0; i < 8; ++i) bytes[16 + random() % 900] = static_cast<std::byte>(random());
    const auto image = ModuleImage::from_bytes(bytes);
    if (image == nullptr) continue;
    char out[16];
    for (const auto& segment : image->segments()) {
      image->read(segment.address, out, sizeof out);
      image->read(segment.address + segment.memory_size - 1, out, sizeof out);
      image->address_of(segment.file_offset, true);
    }
    image->elf();
  }
}

TEST(ModuleImage, FromProcess_EqualsFile) {
  const auto map = ModuleMap::read(::getpid());
  ASSERT_TRUE(map);
  // The C library: it has read-only segments and a build id.
  const auto* found = map->find(RemoteAddress(reinterpret_cast<uint64_t>(&::getpid)));
  ASSERT_NE(found, nullptr);
  const Mapping* first = nullptr;
  for (const Mapping& mapping : map->mappings())
    if (mapping.inode == found->inode && mapping.file_offset == 0) first = &mapping;
  ASSERT_NE(first, nullptr);
  const auto file = ModuleImage::from_file(::open(found->path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto memory = ModuleImage::from_process(::getpid(), first->begin);
  ASSERT_NE(file, nullptr);
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->build_id(), file->build_id());
  EXPECT_EQ(memory->build_id().size(), 20u);
  ASSERT_TRUE(file->eh_frame_header());
  EXPECT_EQ(memory->eh_frame_header(), file->eh_frame_header());
  for (uint64_t at = *file->eh_frame_header(); at < *file->eh_frame_header() + 4000; at += 8) {
    uint64_t one = 1;
    uint64_t other = 2;
    ASSERT_TRUE(file->read(at, &one, 8));
    ASSERT_TRUE(memory->read(at, &other, 8));
    ASSERT_EQ(one, other) << at;
  }
  EXPECT_EQ(memory->elf(), nullptr);
  EXPECT_NE(file->elf(), nullptr);
}

TEST(ModuleFiles, CodeDataBss_ModuleFound) {
  const auto map = ModuleMap::read(::getpid());
  ASSERT_TRUE(map);
  ModuleFiles files;
  const auto code =
      files.locate(::getpid(), *map, RemoteAddress(reinterpret_cast<uint64_t>(&address_of)));
  const auto data = files.locate(::getpid(), *map, address_of(&an_own_variable));
  const auto bss = files.locate(::getpid(), *map, address_of(&an_own_zero));
  ASSERT_TRUE(code && data && bss);
  EXPECT_EQ(code->image, data->image);
  EXPECT_EQ(code->image, bss->image);
  EXPECT_EQ(code->bias, data->bias);
  EXPECT_EQ(code->bias, bss->bias);
  // The loader's own word for it.
  uint64_t base = 0;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        *static_cast<uint64_t*>(out) = info->dlpi_addr;
        return 1;
      },
      &base);
  EXPECT_EQ(code->bias, base);

  int local = 0;
  EXPECT_FALSE(files.locate(::getpid(), *map, address_of(&local)));
  EXPECT_FALSE(files.locate(::getpid(), *map, RemoteAddress(0)));
  const auto vdso = files.locate(::getpid(), *map, RemoteAddress(::getauxval(AT_SYSINFO_EHDR)));
  ASSERT_TRUE(vdso);
  EXPECT_TRUE(vdso->image->eh_frame_header());
}

TEST(ModuleFiles, TwoNamesOneFile_OneModule) {
  const TemporaryFile file(own_file());
  const std::string other = file.path() + ".other";
  ASSERT_EQ(::link(file.path().c_str(), other.c_str()), 0);
  struct stat status;
  ASSERT_EQ(::fstat(file.fd(), &status), 0);
  Mapping one;
  one.begin = RemoteAddress(0x10000000);
  one.end = RemoteAddress(0x10001000);
  one.device = status.st_dev;
  one.inode = status.st_ino;
  one.path = file.path();
  Mapping two = one;
  two.begin = RemoteAddress(0x20000000);
  two.end = RemoteAddress(0x20001000);
  two.path = other;
  Mapping replaced = one;  // another file has taken the path
  replaced.begin = RemoteAddress(0x30000000);
  replaced.end = RemoteAddress(0x30001000);
  replaced.inode = status.st_ino + 1000;
  const ModuleMap map({one, two, replaced});
  ModuleFiles files;
  const auto first = files.locate(kNoProcess, map, one.begin + 8);
  const auto second = files.locate(kNoProcess, map, two.begin + 8);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->image, second->image);
  EXPECT_EQ(first->key, second->key);
  EXPECT_EQ(first->address, second->address);
  EXPECT_FALSE(files.locate(kNoProcess, map, replaced.begin + 8));
  ::unlink(other.c_str());
}

}  // namespace
}  // namespace tailback
