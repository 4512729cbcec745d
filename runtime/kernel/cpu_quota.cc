#include "runtime/kernel/cpu_quota.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string_view>

namespace tailback {

namespace {

// Deeper groups than this are somebody's joke.
constexpr size_t kMostGroups = 32;

std::string content(const std::string& path) {
  const std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The number that follows `field` at the start of a line.
std::optional<int64_t> field_of(std::string_view text, std::string_view field) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(field) && line.size() > field.size() && line[field.size()] == ' ') {
      const std::string_view digits = line.substr(field.size() + 1);
      int64_t number = 0;
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (error == std::errc() && number >= 0) return number;
      return std::nullopt;
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return std::nullopt;
}

// Version 2 counts microseconds, version 1 nanoseconds.
std::optional<Nanoseconds> throttled_of(const std::string& stat) {
  constexpr int64_t kMost = INT64_MAX / 1000;
  if (const auto microseconds = field_of(stat, "throttled_usec")) {
    return std::chrono::microseconds(std::min(*microseconds, kMost));
  }
  if (const auto nanoseconds = field_of(stat, "throttled_time")) return Nanoseconds(*nanoseconds);
  return std::nullopt;
}

bool has_cpu_controller(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::string_view one = controllers.substr(0, controllers.find(','));
    if (one == "cpu") return true;
    controllers.remove_prefix(std::min(one.size() + 1, controllers.size()));
  }
  return false;
}

// The stat files of a group and of those around it, below `mount`. A container may see only its own
// group there, while the path is the host's: then the mount's own file is all there is.
void add_groups(const std::string& mount, std::string path, std::vector<std::string>& files) {
  for (size_t i = 0; i < kMostGroups; ++i) {
    while (path.ends_with('/')) path.pop_back();
    std::string file = mount + path + "/cpu.stat";
    if (access(file.c_str(), R_OK) == 0) files.push_back(std::move(file));
    const size_t parent = path.rfind('/');
    if (parent == std::string::npos) break;
    path.resize(parent);
  }
}

}  // namespace

CpuQuota::CpuQuota(int pid, const CgroupFiles& files)
    : files_(files), membership_file_(fmt::format("{}/{}/cgroup", files.proc, pid)) {
  find_groups(content(membership_file_));
}

void CpuQuota::find_groups(const std::string& membership) {
  membership_ = membership;
  stat_files_.clear();
  std::istringstream groups(membership);
  for (std::string line; std::getline(groups, line);) {
    // "0::/path" is version 2; "4:cpu,cpuacct:/path" version 1.
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (path.find("/..") != std::string::npos) continue;  // of another namespace
    if (controllers.empty()) {
      add_groups(files_.root, path, stat_files_);
      if (stat_files_.empty()) add_groups(files_.root + "/unified", path, stat_files_);
    } else if (has_cpu_controller(controllers)) {
      const std::string mount = files_.root + "/" + controllers;
      add_groups(access(mount.c_str(), F_OK) == 0 ? mount : files_.root + "/cpu", path,
                 stat_files_);
    }
  }
}

std::optional<Nanoseconds> CpuQuota::throttled() {
  const std::string membership = content(membership_file_);
  const bool is_moved = !membership.empty() && membership != membership_;
  if (is_moved) find_groups(membership);
  const auto total = read_groups();
  // What new groups were throttled before is not this process's.
  if (is_moved || (was_asked_ && !last_)) {
    offset_ = last_.value_or(Nanoseconds{}) - total.value_or(Nanoseconds{});
  }
  was_asked_ = true;
  if (total) last_ = *total + offset_;
  return last_;
}

std::optional<Nanoseconds> CpuQuota::read_groups() const {
  std::optional<Nanoseconds> total;
  for (const std::string& file : stat_files_) {
    if (const auto throttled = throttled_of(content(file))) {
      total = total.value_or(Nanoseconds{}) + *throttled;
    }
  }
  return total;
}

}  // namespace tailback
