#include "runtime/detectors/sanitizer_text_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "runtime/capture/module_map.h"
#include "runtime/capture/sanitizer_runtime.h"

namespace tailback {

namespace {

// A process may end soon after it began, and with it go the names in it.
constexpr auto kInterval = std::chrono::milliseconds(2);
constexpr unsigned kPollsPerRead = 5;
// What a process hands over is here long before.
constexpr auto kHandOver = std::chrono::milliseconds(500);
constexpr size_t kMostProcesses = 4096;

// Whether its findings come by themselves. Nothing: it has ended.
std::optional<bool> is_paired(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/exe";
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  const SanitizerRuntime runtime = read_sanitizer_runtime(fd);
  close(fd);
  return runtime.is_thread_sanitizer && !runtime.reports_unseen();
}

// What a program is called by its own frames, as the kernel would cut it; empty: they don't say.
std::string program_in(const TextReport& report) {
  constexpr size_t kLongestName = 15;
  for (const FindingPart& part : report.parts) {
    for (const Frame& frame : part.told) {
      if (!frame.module.empty() && frame.module.find(".so") == std::string::npos) {
        return frame.module.substr(0, kLongestName);
      }
    }
  }
  return {};
}

}  // namespace

SanitizerTextWatch::SanitizerTextWatch(DetectorInput& input, const SanitizerText& text, Emit emit)
    : input_(input),
      segment_(input.segment()),
      logs_(text.log_path, text.is_ours ? STDERR_FILENO : -1),
      emit_(std::move(emit)) {}

SanitizerTextWatch::~SanitizerTextWatch() {
  if (thread_.joinable()) stop();
}

void SanitizerTextWatch::start() {
  thread_ = std::thread([this] { run(); });
}

void SanitizerTextWatch::stop() {
  stopping_.store(true);
  thread_.join();
  take(logs_.finish(), true);
}

void SanitizerTextWatch::run() {
  while (!stopping_.load()) {
    poll();
    std::this_thread::sleep_for(kInterval);
  }
}

void SanitizerTextWatch::poll() {
  // A corrupt target must not end the observer.
  try {
    input_.begin_poll();
    poll_processes();
    if (polls_++ % kPollsPerRead == 0) take(logs_.look(), false);
  } catch (const std::exception&) {
    ++failures_;
  }
}

void SanitizerTextWatch::poll_processes() {
  const uint32_t used = std::min(segment_.header.processes_used.load(), contract::kProcessCapacity);
  for (uint32_t i = 0; i < used; ++i) {
    const contract::ProcessRecord& record = segment_.processes[i];
    if (record.state.load() != static_cast<uint32_t>(contract::ProcessState::kLive)) continue;
    const int pid = record.pid.load();
    const uint32_t generation = record.generation.load();
    const auto known = processes_.find(pid);
    if (known != processes_.end() && known->second.generation == generation) continue;
    if (processes_.size() >= kMostProcesses) processes_.clear();
    Process& process = processes_[pid] = {};
    process.generation = generation;
    process.name = input_.proc().comm(pid, pid).value_or("");
    process.modules = modules_of(pid);
    if (record.thread_sanitizer.load() != 0) process.is_paired = is_paired(pid);
  }
}

// nullptr: it has ended.
std::shared_ptr<const ModuleMap> SanitizerTextWatch::modules_of(int pid) {
  auto modules = input_.sampler().modules(pid, kNowhere);
  input_.sampler().forget(pid);
  return modules->mappings().empty() ? nullptr : modules;
}

void SanitizerTextWatch::take(std::vector<TextReport> reports, bool all) {
  const auto now = std::chrono::steady_clock::now();
  for (TextReport& report : reports)
    waiting_.push_back({std::move(report), now, std::chrono::system_clock::now()});
  std::vector<Waiting> rest;
  for (Waiting& one : waiting_) {
    Process& process = processes_[one.report.pid];
    if (!process.is_paired) process.is_paired = is_paired(one.report.pid);
    if (process.is_paired || all || now - one.since > kHandOver) {
      tell(std::move(one.report), one.time, process);
    } else {
      rest.push_back(std::move(one));
    }
  }
  waiting_ = std::move(rest);
}

// The one that was seen may have been another program, which executed this one.
std::string SanitizerTextWatch::name_of(const TextReport& report, const Process& process) {
  if (auto name = input_.proc().comm(report.pid, report.pid)) return *name;
  std::string program = program_in(report);
  if (!program.empty()) return program;
  return process.name.empty() ? "?" : process.name;
}

void SanitizerTextWatch::tell(TextReport report, WallTime time, Process& process) {
  if (process.is_paired.value_or(false)) return;
  if (auto modules = modules_of(report.pid)) process.modules = std::move(modules);
  FindingSeen observation;
  observation.may_be_second = !process.is_paired;
  observation.modules = process.modules;
  if (!observation.modules) {
    observation.modules = modules_with(report);
    observation.modules_of_other = true;
  }
  observation.kind = contract::FindingKind::kThreadSanitizer;
  observation.time = time;
  observation.pid = report.pid;
  observation.process = name_of(report, process);
  observation.parts = std::move(report.parts);
  emit_(std::move(observation));
}

std::shared_ptr<const ModuleMap> SanitizerTextWatch::modules_with(const TextReport& report) const {
  for (const FindingPart& part : report.parts) {
    for (const Frame& frame : part.told) {
      for (const auto& [pid, process] : processes_) {
        if (!process.modules) continue;
        const std::vector<Mapping>& mappings = process.modules->mappings();
        if (std::any_of(mappings.begin(), mappings.end(), [&](const Mapping& mapping) {
              return file_name(mapping.path) == frame.module;
            })) {
          return process.modules;
        }
      }
    }
  }
  return std::make_shared<const ModuleMap>();
}

}  // namespace tailback
