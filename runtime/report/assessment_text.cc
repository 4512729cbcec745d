#include "runtime/report/assessment_text.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/report/duration_text.h"
#include "runtime/report/terminal_escape.h"

namespace tailback {
namespace {

constexpr size_t kSentenceColumns = 400;
constexpr size_t kActivitiesTold = 5;

std::string_view text_of(Limit limit) {
  switch (limit) {
    case Limit::kNothing:
      return "nothing";
    case Limit::kIo:
      return "waiting for I/O";
    case Limit::kSequentialIo:
      return "waiting for I/O, one operation after the other";
    case Limit::kCpu:
      return "computing";
    case Limit::kGil:
      return "computing under the interpreter's lock";
    case Limit::kLock:
      return "waiting for locks";
    case Limit::kNoCpu:
      return "waiting for a CPU";
    case Limit::kSpawning:
      return "starting processes";
    case Limit::kBlockedLoop:
      return "a blocked event loop";
    case Limit::kUnknown:
      break;
  }
  return "not known";
}

std::string_view text_of(Model model) {
  switch (model) {
    case Model::kThreads:
      return "threads";
    case Model::kEventLoop:
      return "an event loop";
    case Model::kProcesses:
      return "processes";
    case Model::kNone:
      break;
  }
  return "one thread";
}

std::string_view text_of(Activity activity) {
  switch (activity) {
    case Activity::kSleep:
      return "asleep";
    case Activity::kFile:
      return "in files";
    case Activity::kSocket:
      return "at sockets";
    case Activity::kDns:
      return "looking names up";
    case Activity::kIpc:
      return "at pipes";
    case Activity::kLock:
      return "waiting for locks";
    case Activity::kGil:
      return "waiting for the interpreter's lock";
    case Activity::kPageFault:
      return "paging";
    case Activity::kUnknown:
      return "blocked, not known in what";
    case Activity::kEvents:
      return "in an event loop's wait";
    case Activity::kWait:
      return "waiting for other threads";
    case Activity::kProcess:
      return "waiting for child processes";
    case Activity::kIdle:
      return "waiting to be asked";
  }
  return "";
}

std::string model_text(const Verdict& verdict) {
  if (verdict.limit == Limit::kUnknown) return "not known";
  if (!verdict.change) return fmt::format("what it has ({})", text_of(verdict.present));
  if (verdict.model == verdict.present) return fmt::format("{}, as now", text_of(verdict.model));
  return fmt::format("{} (now: {})", text_of(verdict.model), text_of(verdict.present));
}

std::string confidence_text(const Verdict& verdict) {
  std::string text(word(verdict.confidence));
  for (size_t i = 0; i < verdict.doubts.size(); ++i) {
    text += (i == 0 ? ": " : "; ") + verdict.doubts[i];
  }
  return text;
}

std::string program_text(const ProgramTime& time) {
  return fmt::format("computes {}, waits for operations {}, for locks {}, rests {}",
                     share_text(time.computing, time.all()), share_text(time.waiting, time.all()),
                     share_text(time.locked, time.all()), share_text(time.resting, time.all()));
}

std::string threads_text(const ThreadTime& time) {
  std::string text = fmt::format("{} on CPU, {} ready without one", duration_text(time.on_cpu),
                                 duration_text(time.runnable));
  std::vector<std::pair<Nanoseconds, Activity>> blocked;
  for (size_t i = 0; i < time.blocked.size(); ++i) {
    if (time.blocked[i] > std::chrono::milliseconds(1)) {
      blocked.emplace_back(time.blocked[i], static_cast<Activity>(i));
    }
  }
  std::sort(blocked.rbegin(), blocked.rend());
  if (blocked.size() > kActivitiesTold) blocked.resize(kActivitiesTold);
  for (const auto& [spent, activity] : blocked) {
    text += fmt::format(", {} {}", duration_text(spent), text_of(activity));
  }
  return text;
}

std::string flight_text(const Measurement& measured) {
  const InFlight& flight = measured.in_flight;
  std::string text;
  if (flight.most > 0) {
    text = fmt::format("{:.1f} operations on average, {} at most", flight.mean, flight.most);
  }
  if (measured.loops > 0) {
    text += fmt::format("{}{} in {} (its timers are not seen)", text.empty() ? "" : "; ",
                        count_text(measured.descriptors, "descriptor", "descriptors"),
                        count_text(measured.loops, "event loop", "event loops"));
  }
  return text;
}

std::string bytes_text(uint64_t bytes) {
  if (bytes >= uint64_t{10} << 20) return fmt::format("{} MB", bytes >> 20);
  return fmt::format("{} KB", bytes >> 10);
}

std::string memory_text(const Measurement& measured) {
  std::string text = fmt::format("{} resident at most", bytes_text(measured.resident_bytes));
  if (measured.stack_threads > 0) {
    text += fmt::format("; a thread's stack {} (of {})", bytes_text(measured.stack_bytes),
                        count_text(measured.stack_threads));
  }
  return text;
}

std::string spawning_text(const Spawning& spawning) {
  if (spawning.ended == 0) return {};
  std::string text = count_text(spawning.ended) + " ended";
  if (spawning.short_lived > 0) {
    text += fmt::format(", {} of them short-lived, half of these for {} at most",
                        count_text(spawning.short_lived), duration_text(spawning.median_life));
  }
  if (spawning.start_known) text += fmt::format("; {} to start one", duration_text(spawning.start));
  return text;
}

std::string line(std::string_view heading, const std::string& text) {
  if (text.empty()) return {};
  return fmt::format("  {:<14}{}\n", heading, escape_for_terminal(text, kSentenceColumns));
}

}  // namespace

std::string verdict_text(const Verdict& verdict) {
  return fmt::format("tailback advise: what slows it down: {}\n", text_of(verdict.limit)) +
         line("found", verdict.finding) + line("fits", model_text(verdict)) +
         line("advice", verdict.advice) + line("confidence", confidence_text(verdict));
}

std::string assessment_text(const Assessment& assessment) {
  const Measurement& measured = assessment.measured;
  return verdict_text(assessment.verdict) +
         line("seen",
              fmt::format("{} on {}, {} looks; {}, {} (at most {} at once)",
                          duration_text(measured.duration),
                          count_text(measured.cpus, "CPU", "CPUs"), count_text(measured.samples),
                          count_text(measured.processes_seen, "process", "processes"),
                          count_text(measured.threads_seen, "thread", "threads"),
                          count_text(measured.most_threads))) +
         line("the program", program_text(measured.program)) +
         line("its threads", threads_text(measured.threads)) +
         line("at once", flight_text(measured)) + line("memory", memory_text(measured)) +
         line("processes", spawning_text(measured.spawning));
}

}  // namespace tailback
