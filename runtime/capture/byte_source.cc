#include "runtime/capture/byte_source.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/capture/memory.h"

namespace tailback {
namespace {

class FileSource final : public ByteSource {
 public:
  explicit FileSource(int fd) : fd_(fd) {}
  ~FileSource() override { ::close(fd_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

 private:
  size_t load(uint64_t offset, std::span<std::byte> out) override {
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t n =
          ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }

  int fd_;
};

class MemorySource final : public ByteSource {
 public:
  MemorySource(int pid, RemoteAddress base) : pid_(pid), base_(base) {}

 private:
  size_t load(uint64_t offset, std::span<std::byte> out) override {
    return read_memory(pid_, base_ + offset, out);
  }

  int pid_;
  RemoteAddress base_;
};

class BufferSource final : public ByteSource {
 public:
  explicit BufferSource(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

 private:
  size_t load(uint64_t offset, std::span<std::byte> out) override {
    if (offset >= bytes_.size()) return 0;
    const size_t size = std::min<size_t>(out.size(), bytes_.size() - offset);
    std::memcpy(out.data(), bytes_.data() + offset, size);
    return size;
  }

  std::vector<std::byte> bytes_;
};

}  // namespace

bool ByteSource::read(uint64_t offset, void* out, size_t size) {
  if (offset > UINT64_MAX / 2) return false;
  auto* to = static_cast<std::byte*>(out);
  while (size > 0) {
    const uint64_t index = offset / kBlock;
    const Block* bytes = index == last_index_ ? last_ : block(index);
    const size_t at = static_cast<size_t>(offset % kBlock);
    if (at >= bytes->size()) return false;
    const size_t piece = std::min(size, bytes->size() - at);
    std::memcpy(to, bytes->data() + at, piece);
    to += piece;
    offset += piece;
    size -= piece;
  }
  return true;
}

const ByteSource::Block* ByteSource::block(uint64_t index) {
  auto found = blocks_.find(index);
  if (found == blocks_.end()) {
    if (blocks_.size() >= kMostBlocks) blocks_.clear();
    Block bytes(kBlock);
    bytes.resize(load(index * kBlock, bytes));
    found = blocks_.emplace(index, std::move(bytes)).first;
  }
  last_index_ = index;
  last_ = &found->second;
  return last_;
}

std::unique_ptr<ByteSource> make_file_source(int fd) {
  return std::make_unique<FileSource>(fd);
}

std::unique_ptr<ByteSource> make_memory_source(int pid, RemoteAddress base) {
  return std::make_unique<MemorySource>(pid, base);
}

std::unique_ptr<ByteSource> make_buffer_source(std::vector<std::byte> bytes) {
  return std::make_unique<BufferSource>(std::move(bytes));
}

}  // namespace tailback
