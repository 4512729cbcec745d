#include "runtime/thread_sanitizer/report_logs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "runtime/capture/regular_file.h"

namespace tailback {

namespace {

constexpr size_t kMostLogs = 4096;
constexpr size_t kMostAtOnce = 4 << 20;  // bytes of one log in one look

bool ends_with_pid(std::string_view name) {
  const std::string_view pid = name.substr(name.rfind('.') + 1);
  return !pid.empty() &&
         std::all_of(pid.begin(), pid.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void take_all(ReportText& text, std::vector<TextReport>& reports) {
  while (auto report = text.next()) reports.push_back(std::move(*report));
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      poll(&ready, 1, 100);
    } else if (written < 0 && errno != EINTR) {
      return;
    }
  }
}

}  // namespace

ReportLogs::ReportLogs(std::string prefix, int pass_on) : pass_on_(pass_on) {
  const size_t slash = prefix.rfind('/');
  folder_ = slash == std::string::npos ? "." : prefix.substr(0, slash + 1);
  base_ = prefix.substr(slash + 1) + ".";
  for (const std::string& name : names()) {
    struct stat status {};
    if (stat((folder_ + "/" + name).c_str(), &status) == 0) {
      logs_[name].read = static_cast<uint64_t>(status.st_size);
    }
  }
}

std::vector<std::string> ReportLogs::names() const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (name.starts_with(base_) && ends_with_pid(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool ReportLogs::read_more(const std::string& name, Log& log,
                           std::vector<TextReport>& reports) const {
  struct stat status {};
  const int fd = open_regular_file(folder_ + "/" + name, status, O_NOFOLLOW);
  if (fd < 0) return false;
  // Another program of the same process writes the file anew.
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size < log.read) log = Log{};
  char bytes[64 * 1024];
  ssize_t count = 0;
  for (size_t taken = 0; taken < kMostAtOnce; taken += static_cast<size_t>(count)) {
    count = pread(fd, bytes, sizeof bytes, static_cast<off_t>(log.read));
    if (count <= 0) break;
    const std::string_view more(bytes, static_cast<size_t>(count));
    if (pass_on_ >= 0) write_all(pass_on_, more);
    log.text.add(more);
    log.read += more.size();
    take_all(log.text, reports);
  }
  close(fd);
  return count > 0;
}

std::vector<TextReport> ReportLogs::look() {
  std::vector<TextReport> reports;
  for (const std::string& name : names()) {
    if (logs_.size() >= kMostLogs && !logs_.contains(name)) continue;
    read_more(name, logs_[name], reports);
  }
  return reports;
}

std::vector<TextReport> ReportLogs::finish() {
  std::vector<TextReport> reports;
  for (const std::string& name : names()) {
    Log& log = logs_[name];
    while (read_more(name, log, reports)) {
    }
    log.text.finish();
    take_all(log.text, reports);
  }
  return reports;
}

// Options are NAME=VALUE, with blanks, commas or colons between; a value may stand in quotes. Of
// several the last counts.
std::string log_path_in(std::string_view options) {
  constexpr std::string_view kBetween = " ,:\n\t\r";
  std::string path;
  while (!options.empty()) {
    const size_t begin = options.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) break;
    options.remove_prefix(begin);
    const size_t equals = options.find('=');
    if (equals == std::string_view::npos) break;
    const std::string_view name = options.substr(0, equals);
    options.remove_prefix(equals + 1);
    const bool quoted = options.starts_with('\'') || options.starts_with('"');
    const size_t end = quoted ? options.find(options.front(), 1) : options.find_first_of(kBetween);
    const std::string_view value =
        quoted ? options.substr(1, end == std::string_view::npos ? end : end - 1)
               : options.substr(0, end);
    if (name == "log_path") path = value;
    if (end == std::string_view::npos) break;
    options.remove_prefix(end + (quoted ? 1 : 0));
  }
  return path == "stderr" || path == "stdout" ? std::string() : path;
}

}  // namespace tailback
