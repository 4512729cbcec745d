#include "runtime/symbolize/perf_map.h"

#include <charconv>
#include <iterator>

namespace tailback {
namespace {

// No compiler makes more in one piece; an address space has room for few of them.
constexpr uint64_t kLargestCode = uint64_t{1} << 30;

bool take_hexadecimal(std::string_view& text, uint64_t& out) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (text.empty() || text.front() != ' ') return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<PerfMapLine> parse_perf_map_line(std::string_view line) {
  PerfMapLine parsed;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!take_hexadecimal(line, parsed.begin) || !take_hexadecimal(line, parsed.size))
    return std::nullopt;
  if (parsed.begin == 0 || parsed.size == 0 || parsed.size > kLargestCode ||
      parsed.begin > UINT64_MAX - parsed.size || line.empty()) {
    return std::nullopt;
  }
  parsed.name = line;
  return parsed;
}

void PerfMap::add(uint64_t begin, uint64_t size, uint64_t place) {
  const uint64_t end = begin + size;
  auto first = entries_.lower_bound(begin);
  if (first != entries_.begin() && std::prev(first)->second.end > begin) --first;
  auto last = first;
  while (last != entries_.end() && last->first < end) ++last;
  entries_.erase(first, last);
  if (entries_.size() >= kMostEntries) {
    full_ = true;
    return;
  }
  entries_[begin] = {end, place};
}

std::optional<PerfMap::Entry> PerfMap::find(uint64_t address) const {
  auto after = entries_.upper_bound(address);
  if (after == entries_.begin()) return std::nullopt;
  const auto& [begin, code] = *std::prev(after);
  if (address >= code.end) return std::nullopt;
  return Entry{begin, code.end - begin, code.place};
}

}  // namespace tailback
