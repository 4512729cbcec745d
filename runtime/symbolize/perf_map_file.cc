#include "runtime/symbolize/perf_map_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tailback {
namespace {

constexpr size_t kBlock = 256 * 1024;
constexpr size_t kTail = 256;
// A file that is written anew more often than this is not read again.
constexpr unsigned kMostStarts = 64;

// What there is at this offset, up to `size` bytes.
std::string read_at(int descriptor, uint64_t offset, size_t size) {
  std::string text(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t n =
        ::pread(descriptor, text.data() + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  text.resize(done);
  return text;
}

}  // namespace

PerfMapFile::PerfMapFile(int descriptor) : descriptor_(descriptor) {}

PerfMapFile::~PerfMapFile() {
  ::close(descriptor_);
}

bool PerfMapFile::is(const struct stat& file) const {
  struct stat own {};
  return ::fstat(descriptor_, &own) == 0 && own.st_dev == file.st_dev && own.st_ino == file.st_ino;
}

bool PerfMapFile::continues() const {
  return read_at(descriptor_, offset_ - tail_.size(), tail_.size()) == tail_;
}

void PerfMapFile::start_over() {
  map_ = PerfMap();
  offset_ = 0;
  tail_.clear();
  skipping_ = false;
  cut_ = false;
  ++starts_;
}

void PerfMapFile::add_lines(std::string_view text) {
  uint64_t place = offset_;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      // To be read again when the rest is there.
      if (text.size() <= kLongestLine) break;
      skipping_ = true;
      place += text.size();
      break;
    }
    if (!skipping_ && end <= kLongestLine) {
      if (const auto line = parse_perf_map_line(text.substr(0, end)))
        map_.add(line->begin, line->size, place);
    }
    skipping_ = false;
    place += end + 1;
    text.remove_prefix(end + 1);
  }
  offset_ = place;
}

void PerfMapFile::read_on() {
  if (!continues()) start_over();
  if (starts_ > kMostStarts) return;
  while (offset_ < kLargestFile) {
    const std::string text = read_at(descriptor_, offset_, kBlock);
    const uint64_t before = offset_;
    add_lines(text);
    if (offset_ == before) return;
    const size_t taken = static_cast<size_t>(offset_ - before);
    tail_ = (tail_ + text.substr(0, taken));
    tail_.erase(0, tail_.size() - std::min(kTail, tail_.size()));
  }
  cut_ = true;
}

std::optional<std::string> PerfMapFile::name_at(uint64_t address) const {
  const auto entry = map_.find(address);
  if (!entry) return std::nullopt;
  const std::string text = read_at(descriptor_, entry->place, kLongestLine + 1);
  const size_t end = text.find('\n');
  if (end == std::string::npos) return std::nullopt;
  const auto line = parse_perf_map_line(std::string_view(text).substr(0, end));
  if (!line || line->begin != entry->begin || line->size != entry->size) return std::nullopt;
  return std::string(line->name);
}

}  // namespace tailback
