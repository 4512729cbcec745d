#include "runtime/symbolize/perf_maps.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "runtime/capture/regular_file.h"

namespace tailback {
namespace {

std::string in_proc(int pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

// In clock ticks since the machine was started.
std::optional<uint64_t> start_of(int pid) {
  std::ostringstream content;
  content << std::ifstream(in_proc(pid, "stat")).rdbuf();
  const std::string text = content.str();
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  constexpr int kFieldsBefore = 19;  // state is the third field, starttime the 22nd
  std::string skipped;
  for (int i = 0; i < kFieldsBefore; ++i) fields >> skipped;
  uint64_t start = 0;
  if (!(fields >> start)) return std::nullopt;
  return start;
}

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Left by an earlier process of the same pid.
bool is_older(const struct stat& file, uint64_t start) {
  constexpr double kSlack = 2;
  const double begin = seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME) +
                       static_cast<double>(start) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return static_cast<double>(file.st_mtim.tv_sec) + kSlack < begin;
}

struct Person {
  int pid = 0;              // as the process itself has it
  std::vector<uid_t> uids;  // real, effective, saved, of files
};

std::optional<Person> read_person(int pid) {
  std::ifstream status(in_proc(pid, "status"));
  Person person;
  for (std::string line; std::getline(status, line);) {
    std::istringstream fields(line);
    std::string name;
    fields >> name;
    if (name == "Uid:") {
      for (uid_t uid = 0; fields >> uid;) person.uids.push_back(uid);
    } else if (name == "NSpid:") {
      for (int each = 0; fields >> each;) person.pid = each;
    }
  }
  if (person.pid <= 0) return std::nullopt;
  return person;
}

// A descriptor, or -1.
int open_map(int pid, uint64_t start, struct stat& status) {
  const auto person = read_person(pid);
  if (!person) return -1;
  const std::string path = in_proc(pid, "root/tmp/perf-") + std::to_string(person->pid) + ".map";
  const int fd = open_regular_file(path, status, O_NOFOLLOW);
  if (fd < 0) return -1;
  const bool is_own = status.st_uid == 0 || std::find(person->uids.begin(), person->uids.end(),
                                                      status.st_uid) != person->uids.end();
  if (is_own && !is_older(status, start)) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

void PerfMaps::update(int pid) {
  const auto start = start_of(pid);
  if (!start) return;  // it has ended: what is known of it stays
  if (!processes_.contains(pid) && processes_.size() >= kMostProcesses) {
    processes_.erase(std::min_element(
        processes_.begin(), processes_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  Process& process = processes_[pid];
  process.used = ++clock_;
  if (process.start != *start) {
    process.file.reset();
    process.start = *start;
  }
  struct stat status {};
  const int fd = open_map(pid, *start, status);
  if (fd >= 0 && (process.file == nullptr || !process.file->is(status))) {
    process.file = std::make_unique<PerfMapFile>(fd);
  } else if (fd >= 0) {
    ::close(fd);
  }
  if (process.file != nullptr) process.file->read_on();
}

std::optional<std::string> PerfMaps::name_at(int pid, uint64_t address) const {
  const auto found = processes_.find(pid);
  if (found == processes_.end() || found->second.file == nullptr) return std::nullopt;
  return found->second.file->name_at(address);
}

bool PerfMaps::is_cut(int pid) const {
  const auto found = processes_.find(pid);
  return found != processes_.end() && found->second.file != nullptr && found->second.file->is_cut();
}

}  // namespace tailback
