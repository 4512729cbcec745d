#include "runtime/advise/stack_memory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace tailback {

StackMemory stack_memory(std::string_view smaps, std::vector<uint64_t> stack_pointers) {
  std::sort(stack_pointers.begin(), stack_pointers.end());
  StackMemory found;
  uint64_t threads = 0;  // in the mapping that the lines are about
  while (!smaps.empty()) {
    const size_t end = std::min(smaps.find('\n'), smaps.size());
    const std::string line(smaps.substr(0, std::min<size_t>(end, 256)));
    smaps.remove_prefix(std::min(end + 1, smaps.size()));
    uint64_t first = 0;
    uint64_t last = 0;
    uint64_t kilobytes = 0;
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " ", &first, &last) == 2) {
      const auto from = std::lower_bound(stack_pointers.begin(), stack_pointers.end(), first);
      const auto to = std::lower_bound(from, stack_pointers.end(), std::max(first, last));
      threads = static_cast<uint64_t>(to - from);
    } else if (threads > 0 && std::sscanf(line.c_str(), "Rss: %" SCNu64, &kilobytes) == 1) {
      found.threads += threads;
      found.bytes += kilobytes * 1024;
      threads = 0;
    }
  }
  return found;
}

StackMemory read_stack_memory(int pid, std::vector<uint64_t> stack_pointers) {
  std::ifstream file(fmt::format("/proc/{}/smaps", pid));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return stack_memory(text, std::move(stack_pointers));
}

uint64_t read_resident_bytes(int pid) {
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  uint64_t size = 0;
  uint64_t resident = 0;
  if (!(file >> size >> resident)) return 0;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace tailback
