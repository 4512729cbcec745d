#include "runtime/report/text_reporter.h"

#include <spdlog/details/null_mutex.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <utility>

#include "runtime/report/blocking_call_text.h"
#include "runtime/report/contention_text.h"
#include "runtime/report/duration_text.h"
#include "runtime/report/finding_text.h"
#include "runtime/report/note_text.h"
#include "runtime/report/stall_text.h"
#include "runtime/report/summary_text.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/report/wall_time.h"

namespace tailback {
namespace {

// A target can make up culprits without end: once this many are remembered they are forgotten, and
// a culprit is reported in full a second time.
constexpr size_t kRemembered = 4096;
constexpr size_t kNameColumns = 80;
constexpr size_t kBlockingCallRows = 20;
constexpr size_t kContentionRows = 20;

// Writes each message as it is, with one write(2), so that a report is not torn apart by what the
// target writes to the same terminal.
class ReportFileSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit ReportFileSink(std::unique_ptr<ReportFile> file) : file_(std::move(file)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    file_->append({text.data(), text.size()});
  }
  void flush_() override {}

  std::unique_ptr<ReportFile> file_;
};

std::shared_ptr<spdlog::logger> logger_on(spdlog::sink_ptr sink) {
  // Reports bring their own newlines and their own time.
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "%v", spdlog::pattern_time_type::local, std::string()));
  auto logger = std::make_shared<spdlog::logger>("tailback.report", std::move(sink));
  logger->set_level(spdlog::level::trace);
  return logger;
}

bool colour_wanted(const ReportFile& file) {
  const char* const no_color = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return file.is_terminal() && (no_color == nullptr || *no_color == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

std::string command_text(const SessionStart& start) {
  std::string text;
  for (const std::string& word : start.command) {
    if (!text.empty()) text += ' ';
    text += escape_for_terminal(word, 120);
    if (text.size() > 1000) break;
  }
  return text.empty() ? "a preloaded program" : escape_for_terminal(text, 200);
}

}  // namespace

TextReporter::TextReporter(const Options& options, const ReportFile::Complain& complain)
    : announce_session_(!options.file.empty()), reports_per_culprit_(options.reports_per_culprit) {
  auto file = options.file.empty()
                  ? std::make_unique<ReportFile>(STDERR_FILENO, "standard error", complain)
                  : std::make_unique<ReportFile>(options.file, complain);
  style_.colour = colour_wanted(*file);
  style_.whole_stacks = options.whole_stacks;
  logger_ = logger_on(std::make_shared<ReportFileSink>(std::move(file)));
}

TextReporter::TextReporter(spdlog::sink_ptr sink, TextStyle style, bool announce_session,
                           unsigned reports_per_culprit)
    : style_(style),
      announce_session_(announce_session),
      logger_(logger_on(std::move(sink))),
      reports_per_culprit_(reports_per_culprit) {}

void TextReporter::report(const Record& record) {
  std::visit(
      [&](const auto& value) {
        if constexpr (requires { print(value); }) {
          print(value);
        } else {
          print_finding(record);
        }
      },
      record);
}

void TextReporter::print(const SessionStart& start) {
  threshold_ = start.threshold;
  if (!announce_session_) return;
  print_text(fmt::format("tailback {}: {} (pid {}), threshold {}, {}\n", start.version,
                         command_text(start), start.pid, duration_text(start.threshold),
                         wall_time_text(start.time)));
}

void TextReporter::print(const Stall& stall) {
  const bool final = stall.state != StallState::kOngoing;
  if (final) tally_.add(stall);
  const auto reported_at =
      stall.begin + std::chrono::duration_cast<WallTime::duration>(stall.duration);
  if (admit(stall, reported_at)) print_text(text_of(stall));
  if (final) reported_as_ongoing_.erase(stall.id);
}

std::string TextReporter::text_of(const Stall& stall) {
  const bool final = stall.state != StallState::kOngoing;
  std::string key = culprit_key(stall);
  const auto ongoing = reported_as_ongoing_.find(stall.id);
  const bool reported_before = ongoing != reported_as_ongoing_.end() && ongoing->second == key;
  if (!final) {
    if (reported_as_ongoing_.size() >= kRemembered) reported_as_ongoing_.clear();
    reported_as_ongoing_[stall.id] = key;
  }

  if (reported_in_full_.size() >= kRemembered) reported_in_full_.clear();
  if (reported_in_full_.insert(std::move(key)).second) return full_stall_text(stall, style_);
  if (reported_before) return final ? unblocked_text(stall) : still_blocked_text(stall);
  return repeated_stall_text(stall, final ? tally_.find(stall) : nullptr);
}

void TextReporter::print(const Note& note) {
  if (!take_room(note.time)) return;
  print_text(fmt::format("tailback: note: {}\n", note_text(note)) + note_details(note, style_));
}

void TextReporter::print(const BlockingCall& blocking_call) {
  if (blocking_call.state == BlockingCallState::kSum) {
    blocking_calls_.add(blocking_call);
  } else if (take_room(blocking_call.last)) {
    print_text(full_blocking_call_text(blocking_call, style_));
  }
}

// A deadlock is never suppressed: there are few, and the program hangs.
void TextReporter::print_finding(const Record& record) {
  const bool is_deadlock = std::holds_alternative<Deadlock>(record);
  const std::string text = full_finding_text(record, style_);
  if (text.empty() || (!is_deadlock && !take_room(time_of(record)))) return;
  print_text(text);
}

void TextReporter::print(const Contention& contention) {
  contentions_.push_back(contention);
}

void TextReporter::print(const SessionStatus& status) {
  print_text(status_text(status));
}

void TextReporter::print(const SessionEnd& end) {
  print_suppressed();
  const std::string blocking_calls = blocking_calls_text(
      blocking_calls_, end.counts[RecordKind::kBlockingCall], kBlockingCallRows);
  if (!blocking_calls.empty()) print_text(blocking_calls);
  for (const RecordKindRow& row : kRecordKinds) {
    const bool has_table = row.kind == RecordKind::kStall ||
                           row.kind == RecordKind::kBlockingCall ||
                           row.kind == RecordKind::kContention;
    if (has_table || !row.counted) continue;
    const std::string counts = counts_text(row.kind, end.counts[row.kind]);
    if (!counts.empty()) print_text(counts);
  }
  const std::string locks =
      contentions_text(contentions_, end.counts[RecordKind::kContention].reported, kContentionRows);
  if (!locks.empty()) print_text("tailback: " + locks);
  print_text(session_end_text(end, tally_, threshold_));
  logger_->flush();
}

bool TextReporter::has_room(WallTime time) {
  // Stalls of several threads come a little out of order; the wall clock may also be set back.
  if (std::chrono::abs(time - minute_begin_) >= std::chrono::minutes(1)) {
    print_suppressed();
    minute_begin_ = time;
    in_this_minute_ = 0;
  }
  if (in_this_minute_ == kReportsPerMinute) {
    ++suppressed_;
    return false;
  }
  return true;
}

bool TextReporter::take_room(WallTime time) {
  if (!has_room(time)) return false;
  ++in_this_minute_;
  return true;
}

bool TextReporter::admit(const Stall& stall, WallTime time) {
  if (!has_room(time)) return false;
  // No more culprits than reports in a minute: the map stays small.
  CulpritMinute& culprit = culprits_in_this_minute_[culprit_key(stall)];
  if (culprit.reports == reports_per_culprit_) {
    if (culprit.suppressed++ == 0) {
      culprit.name = fmt::format("{} in {}", word(stall.cause), culprit_text(stall, kNameColumns));
    }
    return false;
  }
  ++culprit.reports;
  ++in_this_minute_;
  return true;
}

void TextReporter::print_suppressed() {
  for (const auto& [key, culprit] : culprits_in_this_minute_) {
    if (culprit.suppressed == 0) continue;
    print_text(fmt::format(
        "tailback: {} of {} suppressed (limit {} a minute); the summary has all stalls\n",
        count_text(culprit.suppressed, "report", "reports"), culprit.name, reports_per_culprit_));
  }
  culprits_in_this_minute_.clear();
  if (suppressed_ == 0) return;
  print_text(
      fmt::format("tailback: {} suppressed (limit {} a minute); the summary has all stalls\n",
                  count_text(suppressed_, "report", "reports"), kReportsPerMinute));
  suppressed_ = 0;
}

void TextReporter::print_text(const std::string& text) {
  // As an argument, not as the format: braces in it mean nothing.
  logger_->info("{}", text);
}

}  // namespace tailback
