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
#include "runtime/report/deadlock_text.h"
#include "runtime/report/duration_text.h"
#include "runtime/report/lock_order_text.h"
#include "runtime/report/never_awaited_text.h"
#include "runtime/report/note_text.h"
#include "runtime/report/race_text.h"
#include "runtime/report/stall_text.h"
#include "runtime/report/summary_text.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/report/wall_time.h"

namespace tailback {
namespace {

// A target can make up culprits without end: once this many are remembered we begin anew, and a
// culprit is told in full a second time.
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

void TextReporter::session(const SessionStart& start) {
  threshold_ = start.threshold;
  if (!announce_session_) return;
  say(fmt::format("tailback {}: {} (pid {}), threshold {}, {}\n", start.version,
                  command_text(start), start.pid, duration_text(start.threshold),
                  wall_time_text(start.time)));
}

void TextReporter::stall(const Stall& stall) {
  const bool final = stall.state != StallState::kOngoing;
  if (final) tally_.add(stall);
  const auto reported_at =
      stall.begin + std::chrono::duration_cast<WallTime::duration>(stall.duration);
  if (admit(stall, reported_at)) say(text_of(stall));
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
  if (reported_before) return final ? over_text(stall) : still_held_up_text(stall);
  return repeated_stall_text(stall, final ? tally_.find(stall) : nullptr);
}

void TextReporter::note(const Note& note) {
  if (!take_room(note.time)) return;
  say(fmt::format("tailback: note: {}\n", note_text(note)));
}

void TextReporter::blocking_call(const BlockingCall& blocking_call) {
  if (blocking_call.state == BlockingCallState::kSum) {
    blocking_calls_.add(blocking_call);
  } else if (take_room(blocking_call.last)) {
    say(full_blocking_call_text(blocking_call, style_));
  }
}

// Never held back: there are few, and the program hangs.
void TextReporter::deadlock(const Deadlock& deadlock) {
  say(full_deadlock_text(deadlock, style_));
}

void TextReporter::lock_order(const LockOrder& order) {
  if (!take_room(order.time)) return;
  say(full_lock_order_text(order, style_));
}

void TextReporter::never_awaited(const NeverAwaited& never_awaited) {
  if (!take_room(never_awaited.time)) return;
  say(full_never_awaited_text(never_awaited, style_));
}

void TextReporter::race(const Race& race) {
  if (!take_room(race.time)) return;
  say(full_race_text(race, style_));
}

void TextReporter::contention(const Contention& contention) {
  contentions_.push_back(contention);
}

void TextReporter::status(const SessionStatus& status) {
  say(status_text(status));
}

void TextReporter::end(const SessionEnd& end) {
  say_suppressed();
  const std::string blocking_calls =
      blocking_calls_text(blocking_calls_, end.blocking_calls, kBlockingCallRows);
  if (!blocking_calls.empty()) say(blocking_calls);
  if (end.deadlocks > 0) say(deadlock_count_text(end.deadlocks, end.suppressed_deadlocks));
  const std::string lock_orders = lock_orders_text(end.lock_orders);
  if (!lock_orders.empty()) say(lock_orders);
  const std::string never_awaited = never_awaited_count_text(end.never_awaited);
  if (!never_awaited.empty()) say(never_awaited);
  const std::string races = races_text(end.races);
  if (!races.empty()) say(races);
  const std::string locks = contentions_text(contentions_, end.contention, kContentionRows);
  if (!locks.empty()) say("tailback: " + locks);
  say(session_end_text(end, tally_, threshold_));
  logger_->flush();
}

bool TextReporter::has_room(WallTime time) {
  // Stalls of several threads come a little out of order; the wall clock may also be set back.
  if (std::chrono::abs(time - minute_begin_) >= std::chrono::minutes(1)) {
    say_suppressed();
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
    if (culprit.held_back++ == 0) {
      culprit.name = fmt::format("{} in {}", word(stall.cause), culprit_text(stall, kNameColumns));
    }
    return false;
  }
  ++culprit.reports;
  ++in_this_minute_;
  return true;
}

void TextReporter::say_suppressed() {
  for (const auto& [key, culprit] : culprits_in_this_minute_) {
    if (culprit.held_back == 0) continue;
    say(fmt::format(
        "tailback: {} of {} held back, for there were more than {} in a minute; the "
        "summary has all stalls\n",
        count_text(culprit.held_back, "report", "reports"), culprit.name, reports_per_culprit_));
  }
  culprits_in_this_minute_.clear();
  if (suppressed_ == 0) return;
  say(
      fmt::format("tailback: {} held back, for there were more than {} in a minute; the summary "
                  "has all stalls\n",
                  count_text(suppressed_, "report was", "reports were"), kReportsPerMinute));
  suppressed_ = 0;
}

void TextReporter::say(const std::string& text) {
  // As an argument, not as the format: braces in it mean nothing.
  logger_->info("{}", text);
}

}  // namespace tailback
