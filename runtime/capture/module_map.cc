#include "runtime/capture/module_map.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

namespace tailback {
namespace {

constexpr size_t kLargestMap = 64 * 1024 * 1024;
constexpr std::string_view kDeleted = " (deleted)";

// Takes a number off the front of `text`.
bool take_number(std::string_view& text, int base, uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// The kernel writes a newline within a path as \012, and nothing else in another form.
std::string unescape(std::string_view path) {
  std::string out;
  while (true) {
    const size_t at = path.find("\\012");
    out.append(path.substr(0, at));
    if (at == std::string_view::npos) return out;
    out += '\n';
    path.remove_prefix(at + 4);
  }
}

// begin-end perms offset major:minor inode      path
std::optional<Mapping> parse_line(std::string_view line) {
  Mapping mapping;
  uint64_t major = 0;
  uint64_t minor = 0;
  if (!take_number(line, 16, mapping.begin.value) || !take(line, '-') ||
      !take_number(line, 16, mapping.end.value) || !take(line, ' ') || line.size() < 5)
    return std::nullopt;
  mapping.writable = line[1] == 'w';
  mapping.executable = line[2] == 'x';
  line.remove_prefix(4);
  if (!take(line, ' ') || !take_number(line, 16, mapping.file_offset) || !take(line, ' ') ||
      !take_number(line, 16, major) || !take(line, ':') || !take_number(line, 16, minor) ||
      !take(line, ' ') || !take_number(line, 10, mapping.inode))
    return std::nullopt;
  if (mapping.begin >= mapping.end) return std::nullopt;
  mapping.device = makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor));
  const size_t path = line.find_first_not_of(' ');
  if (path != std::string_view::npos) {
    line.remove_prefix(path);
    if (line.ends_with(kDeleted)) line.remove_suffix(kDeleted.size());
    mapping.path = unescape(line);
  }
  return mapping;
}

}  // namespace

ModuleMap::ModuleMap(std::vector<Mapping> mappings) : mappings_(std::move(mappings)) {
  std::stable_sort(mappings_.begin(), mappings_.end(),
                   [](const Mapping& a, const Mapping& b) { return a.begin < b.begin; });
}

ModuleMap ModuleMap::parse(std::string_view text) {
  std::vector<Mapping> mappings;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (auto mapping = parse_line(text.substr(0, end))) mappings.push_back(std::move(*mapping));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ModuleMap(std::move(mappings));
}

std::optional<ModuleMap> ModuleMap::read(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/maps";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string text;
  size_t size = 0;
  ssize_t n = 0;
  do {
    text.resize(size + 64 * 1024);
    n = ::read(fd, text.data() + size, text.size() - size);
    if (n > 0) size += static_cast<size_t>(n);
  } while (n > 0 ? size < kLargestMap : n < 0 && errno == EINTR);
  ::close(fd);
  // A process that has ended, or is a zombie, has an empty map.
  if (n < 0 || size == 0) return std::nullopt;
  return parse(std::string_view(text).substr(0, size));
}

bool ModuleMap::has_generated_code() const {
  return std::any_of(mappings_.begin(), mappings_.end(), [](const Mapping& mapping) {
    return mapping.executable && mapping.path.empty();
  });
}

const Mapping* ModuleMap::find(RemoteAddress address) const {
  auto after = std::upper_bound(mappings_.begin(), mappings_.end(), address,
                                [](RemoteAddress a, const Mapping& m) { return a < m.begin; });
  if (after == mappings_.begin()) return nullptr;
  const Mapping& mapping = *std::prev(after);
  return address < mapping.end ? &mapping : nullptr;
}

}  // namespace tailback
