#include "runtime/lock_state/file_locks.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace tailback {

namespace {

// "12: -> FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"
std::optional<FileLock> parse_line(const std::string& line) {
  std::istringstream words(line);
  FileLock lock;
  char colon = 0;
  std::string mode;
  std::string access;
  std::string file;
  if (!(words >> lock.id >> colon >> lock.kind) || colon != ':') return std::nullopt;
  if (lock.kind == "->") {
    lock.waits = true;
    if (!(words >> lock.kind)) return std::nullopt;
  }
  if (!(words >> mode >> access >> lock.pid >> file)) return std::nullopt;
  lock.writes = access == "WRITE";
  const size_t inode = file.rfind(':');
  if (inode == std::string::npos) return std::nullopt;
  std::istringstream number(file.substr(inode + 1));
  if (!(number >> lock.inode)) return std::nullopt;
  return lock;
}

std::vector<FileLock> parse(std::istream& text) {
  constexpr size_t kMost = 65536;
  std::vector<FileLock> locks;
  for (std::string line; locks.size() < kMost && std::getline(text, line);) {
    if (auto lock = parse_line(line)) locks.push_back(std::move(*lock));
  }
  return locks;
}

}  // namespace

std::vector<FileLock> parse_file_locks(std::string_view text) {
  std::istringstream stream{std::string(text)};
  return parse(stream);
}

std::vector<FileLock> read_file_locks() {
  std::ifstream file("/proc/locks");
  return parse(file);
}

std::optional<std::vector<int>> file_lock_holders(const std::vector<FileLock>& locks, int pid,
                                                  uint64_t inode) {
  const auto waiter = std::find_if(locks.begin(), locks.end(), [&](const FileLock& lock) {
    return lock.waits && lock.pid == pid && lock.inode == inode;
  });
  if (waiter == locks.end()) return std::nullopt;
  std::vector<int> holders;
  for (const FileLock& lock : locks) {
    // One kind does not stand in the way of another. A shared lock may have several holders.
    if (lock.waits || lock.inode != inode || lock.kind != waiter->kind) continue;
    if (!lock.writes && !waiter->writes) continue;
    if (std::find(holders.begin(), holders.end(), lock.pid) == holders.end()) {
      holders.push_back(lock.pid);
    }
  }
  return holders;
}

}  // namespace tailback
